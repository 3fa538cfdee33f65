package dev.sallyport.control.event;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;

/** What there may be something to say about: of each only what is so in the end. */
sealed interface Topic {

    /** The object that is spoken of. */
    ObjectRef object();

    /** Whether a finding holds. */
    record Trouble(Finding finding) implements Topic {
        @Override
        public ObjectRef object() {
            return finding.object();
        }
    }

    /** What is served of a Secret. */
    record Served(ObjectRef object) implements Topic {}

    /** What was done for an object, as far as it is about the same. */
    record Done(ObjectRef object, String about) implements Topic {}
}
