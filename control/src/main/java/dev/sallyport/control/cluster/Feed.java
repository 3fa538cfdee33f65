package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import java.util.Optional;
import java.util.Set;

/** Lists the objects of one watch and then tells of their changes, whatever happens. */
interface Feed extends AutoCloseable {

    /** What is watched. */
    Watched<?> watched();

    /** Begins; does not block. */
    void start();

    /**
     * The names of all objects as the API server has them now, not from its cache. Blocks.
     *
     * @throws RuntimeException where that fails
     */
    Set<ObjectRef> namesNow();

    /** Ends it; what is on its way may still be told. */
    @Override
    void close();

    /** What becomes of the objects. One call at a time, in order, from changing threads. */
    interface Listener {
        /** A list begins. */
        void listing(Feed feed);

        /** The object is there, new or changed; empty where it cannot matter. */
        void exists(Feed feed, ObjectRef ref, Optional<Resource> now);

        /** The object is gone; {@code seen} unless only a list says so. */
        void gone(Feed feed, ObjectRef ref, boolean seen);

        /** A list is read to its end. */
        void listed(Feed feed);

        /** A list, or opening the watch after it, failed; it is tried again. */
        void failed(Feed feed, Contacts.Trouble trouble);
    }
}
