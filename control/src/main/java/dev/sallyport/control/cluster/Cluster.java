package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import java.util.Optional;

/** An API server as a source needs it. */
interface Cluster {

    /** For people. */
    String url();

    /** A feed that is not started. */
    Feed feed(Watched<?> watched, Feed.Listener listener);

    /** What is known of the connection that a feed uses. */
    Contacts.Contact contact(Watched<?> watched);

    /** Reads one Secret now; empty where there is none that matters. Blocks. */
    Optional<Resource> read(ObjectRef secret) throws Refused;

    /** The API server does not let the gateway read a Secret, or does not answer. */
    final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        private final transient Contacts.Trouble trouble;

        Refused(Contacts.Trouble trouble) {
            super(trouble.toString());
            this.trouble = trouble;
        }

        Contacts.Trouble trouble() {
            return trouble;
        }
    }
}
