package dev.sallyport.control.cluster;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The Secrets that something refers to, and the looks at those of which the lists do not tell: a
 * watch each, or a read in turn. A Secret that no list shows is looked at for as long as something
 * refers to it; one that a list shows only until the list is as far as what was seen of it.
 * Confined to the thread of {@link ClusterSource}.
 */
final class SecretWatches {
    /** Each watch is a connection of its own, and some 90 KB. */
    private static final int MOST_BY_NAME = 500;

    /** Where Secrets are listed by type, those watched by themselves are few, or not there yet. */
    private static final int MOST_BESIDE_LISTS = 100;

    private static final int MOST_OPENING = 50;
    private static final int READS_A_SECOND = 20;
    private static final int FIRST_READS_A_SECOND = 100;

    /** As many as their client may ask in a second: an answer that is late delays the others. */
    private static final int MOST_READING = 100;

    private static final String IN_TURN = "secrets in turn";

    private final Function<ObjectRef, Feed> feeds;
    private final LongSupplier nanoTime;
    private final WatchFindings findings;
    private final SecretLookups lookups;
    private final Set<ObjectRef> wanted = new HashSet<>();
    private final Map<ObjectRef, Single> open = new HashMap<>();
    private final Map<ObjectRef, ObjectVersion> seen = new HashMap<>(); // by looks that go on
    private final Set<ObjectRef> refused = new HashSet<>();
    private boolean inTurn;

    SecretWatches(
            SecretAccess access,
            Function<ObjectRef, Feed> feeds,
            LongSupplier nanoTime,
            WatchFindings findings) {
        this.feeds = feeds;
        this.nanoTime = nanoTime;
        this.findings = findings;
        this.lookups =
                new SecretLookups(
                        access == SecretAccess.BY_NAME ? MOST_BY_NAME : MOST_BESIDE_LISTS,
                        MOST_OPENING,
                        MOST_READING);
    }

    /**
     * Something refers to the Secret.
     *
     * @param isTold whether its newest contents were told, or will be
     */
    void want(ObjectRef secret, boolean isTold) {
        wanted.add(secret);
        if (!isTold) {
            lookups.want(secret);
        }
    }

    /** Nothing refers to the Secret any more; whether it was looked at by itself. */
    boolean release(ObjectRef secret) {
        wanted.remove(secret);
        return drop(secret);
    }

    /** Whether something refers to the Secret. */
    boolean wants(ObjectRef secret) {
        return wanted.contains(secret);
    }

    /** Whether the Secret is looked at by itself, or is to be. */
    boolean looksAt(ObjectRef secret) {
        return lookups.wants(secret);
    }

    /**
     * A list shows, in this version, a Secret that is looked at. That is enough, unless the look
     * has seen a newer one, to which the list will come; whether the list's is to be told.
     */
    boolean listed(ObjectRef secret, ObjectVersion version) {
        ObjectVersion newest = seen.get(secret);
        if (newest != null && version.isBefore(newest)) {
            return false;
        }
        drop(secret);
        openNext();
        return !version.equals(newest) || version.equals(ObjectVersion.NONE);
    }

    /**
     * A look told of the Secret: it ends where a list is as far.
     *
     * @param version empty where there is no such Secret
     * @param listed in which version a list shows it
     */
    void looked(ObjectRef secret, Optional<ObjectVersion> version, Optional<ObjectVersion> listed) {
        if (version.isPresent() && version.equals(listed)) {
            drop(secret);
        } else if (version.isPresent()) {
            seen.put(secret, version.get());
        } else {
            seen.remove(secret);
        }
        openNext();
    }

    /** No list shows the Secret any more; it may come back as one of another type. */
    void unlisted(ObjectRef secret) {
        if (wanted.contains(secret)) {
            lookups.want(secret);
            openNext();
        }
    }

    /** The lists are in, and may not show all that is wanted. */
    void begin(Predicate<ObjectRef> listed) {
        wanted.stream().filter(secret -> !listed.test(secret)).forEach(lookups::want);
        openNext();
    }

    /** How many of these were not seen yet. */
    int unseen(Predicate<ObjectRef> which) {
        return lookups.unseen(which);
    }

    /** Opens as many watches as may be opened now. */
    void openNext() {
        Optional<ObjectRef> next = lookups.next();
        while (next.isPresent()) {
            Feed feed = feeds.apply(next.get());
            open.put(next.get(), new Single(feed, nanoTime.getAsLong()));
            feed.start();
            next = lookups.next();
        }
    }

    /** Whether this is the Secret's watch; one that was closed may still tell something. */
    boolean isOpen(ObjectRef secret, Feed feed) {
        Single single = open.get(secret);
        return single != null && feed.equals(single.feed()); // the same one
    }

    /** A watch told of its Secret; whether anybody should hear of it. */
    boolean answered(ObjectRef secret, Feed feed) {
        if (!isOpen(secret, feed)) {
            return false;
        }
        lookups.answered(secret);
        allowed(secret);
        return true;
    }

    /** A Secret without a watch was read; whether anybody should hear of it. */
    boolean read(ObjectRef secret) {
        if (!lookups.wants(secret) || open.containsKey(secret)) {
            return false;
        }
        lookups.answered(secret);
        allowed(secret);
        return true;
    }

    /** Reading a Secret came to nothing. */
    void unread(ObjectRef secret) {
        lookups.unanswered(secret);
        openNext(); // there may be room for a watch by now, and then nobody reads
    }

    /** The watches that are open. */
    Collection<Single> singles() {
        return open.values();
    }

    /**
     * The watch of one Secret.
     *
     * @param since when it was started
     */
    record Single(Feed feed, long since) {}

    /** The Secret may not be read; whether that is news. */
    boolean refused(ObjectRef secret, String why) {
        if (!lookups.wants(secret)) {
            return false;
        }
        lookups.answered(secret);
        boolean news = refused.add(secret);
        if (news) {
            findings.say(step(secret), WatchFindings.secretForbidden(secret, why));
        }
        return news;
    }

    /** Once a second: reads in turn what is not watched. */
    void look(Consumer<ObjectRef> reader) {
        lookups.toRead(FIRST_READS_A_SECOND, READS_A_SECOND).forEach(reader);
        boolean now = lookups.unwatched() > 0;
        if (now != inTurn) {
            inTurn = now;
            if (now) {
                findings.say(
                        IN_TURN,
                        Finding.of(
                                Reason.SECRETS_READ_IN_TURN,
                                ObjectRef.gateway("secrets"),
                                lookups.open()
                                        + " Secrets are watched one by one; others that Ingresses refer to are read "
                                        + READS_A_SECOND
                                        + " a second",
                                "Give them the type kubernetes.io/tls and let the gateway list them"
                                        + " (kubernetes.secrets: by-type), or remove references to Secrets that"
                                        + " do not exist."));
            } else {
                findings.resolve(IN_TURN);
            }
        }
    }

    /** Ends all watches. */
    void close() {
        open.values().forEach(single -> single.feed().close());
        open.clear();
    }

    private boolean drop(ObjectRef secret) {
        boolean known = lookups.wants(secret);
        lookups.drop(secret);
        seen.remove(secret);
        Single single = open.remove(secret);
        if (single != null) {
            single.feed().close();
        }
        allowed(secret);
        return known;
    }

    private void allowed(ObjectRef secret) {
        if (refused.remove(secret)) {
            findings.resolve(step(secret));
        }
    }

    private static String step(ObjectRef secret) {
        return "access to " + secret;
    }
}
