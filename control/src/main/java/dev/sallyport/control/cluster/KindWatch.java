package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * The watch of a kind, with what is known of it. Confined to the thread of {@link ClusterSource}.
 */
final class KindWatch {
    private final boolean needed;
    private final VanishGuard guard;
    private Feed feed;
    private boolean listed;
    private boolean unseen; // objects of it are in service of which no list told
    private boolean anew; // the next list is the first of its feed
    private boolean asked; // for a second list
    private long heard; // of a list, in nanoseconds
    private @Nullable Long refusedSince;

    /**
     * @param needed whether there is nothing to serve without it
     */
    KindWatch(Feed feed, boolean needed, Duration holdBack, long now) {
        this.feed = feed;
        this.needed = needed;
        this.guard = new VanishGuard(holdBack);
        this.heard = now;
    }

    /** Its feed. */
    Feed feed() {
        return feed;
    }

    /** What is watched. */
    Watched<?> watched() {
        return feed.watched();
    }

    /** What is known of its objects. */
    VanishGuard guard() {
        return guard;
    }

    /** Its connection was heard of then; asked of it no more, since another takes over. */
    void heard(long at) {
        if (at - heard > 0) {
            heard = at;
        }
    }

    /** Another feed takes over; its first list tells of everything. */
    void replace(Feed next) {
        feed.close();
        feed = next;
        anew = true;
    }

    /** Whether its first list, or the first since it was replaced, is still to come. */
    boolean listsAnew() {
        return anew || !listed;
    }

    /** A list begins. */
    void listing() {
        if (anew) {
            guard.listingAnew();
        } else {
            guard.listing();
        }
    }

    /**
     * These are in service though it did not tell of them; whether its list is there to judge that.
     *
     * @param known when they were as they are, in nanoseconds
     */
    boolean expect(Collection<ObjectRef> inService, long known) {
        guard.expect(inService);
        anew |= !listed;
        if (needed && !listed && !inService.isEmpty()) {
            unseen = true;
            heard = known;
        }
        return listed;
    }

    /** Whether a list was read to its end. */
    boolean isListed() {
        return listed;
    }

    /** Whether objects of it are in service of which no list told yet. */
    boolean servesUnseen() {
        return unseen;
    }

    /** A list is read to its end. */
    void listed(long now) {
        listed = true;
        unseen = false;
        anew = false;
        heard = now;
    }

    /** Whether it is time for a second list, which is taken to be asked for then. */
    boolean asksAgain(long now) {
        boolean asks = !asked && guard.isDue(now);
        asked |= asks;
        return asks;
    }

    /** The second list came, or did not. */
    void answered() {
        asked = false;
    }

    /** How it is at this moment, as connections tell. */
    WatchState state(Contact contact, long now) {
        boolean refused =
                contact.trouble().filter(Trouble::refused).isPresent() && !contact.watching();
        if (!refused) {
            refusedSince = null;
        } else if (refusedSince == null) {
            refusedSince = now - 1;
        }
        Long since = refusedSince;
        long last = contact.heard().filter(at -> at - heard > 0).orElse(heard);
        return new WatchState(
                watched().kind().kind(),
                watched().toString(),
                needed,
                listed,
                now - last,
                since == null ? 0 : now - since,
                contact.trouble());
    }
}
