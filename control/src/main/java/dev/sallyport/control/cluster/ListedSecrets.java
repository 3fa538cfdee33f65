package dev.sallyport.control.cluster;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The Secrets that lists show, and which of their changes are told. Confined to the thread of
 * {@link ClusterSource}.
 *
 * <p>With the first update each is told of, since nobody knows better. Afterwards only of those are
 * changes told that something refers to, or did since they are there: of others it is noted that
 * there are contents that nobody was told of.
 */
final class ListedSecrets {
    private final Map<ObjectRef, Shown> shown = new HashMap<>();

    private enum Telling {
        /** Of its newest contents nobody was told. */
        PASSED_OVER,
        /** Its newest contents were told with all others. */
        ONCE,
        /** Each change is told. */
        EACH
    }

    /** A Secret as its list shows it. */
    private record Shown(ObjectVersion version, Telling telling) {}

    /** Whether a list shows the Secret. */
    boolean contains(ObjectRef secret) {
        return shown.containsKey(secret);
    }

    /** In which version its list shows it. */
    Optional<ObjectVersion> version(ObjectRef secret) {
        return Optional.ofNullable(shown.get(secret)).map(Shown::version);
    }

    /**
     * A list shows the Secret in this version.
     *
     * @param wanted whether something refers to it
     * @param beginning whether all are told of
     * @return whether that is to be told: not where it was told before, nor where nobody wants it
     */
    boolean show(ObjectRef secret, ObjectVersion version, boolean wanted, boolean beginning) {
        Shown before = shown.get(secret);
        boolean follows = wanted || (before != null && before.telling() == Telling.EACH);
        Telling telling = follows ? Telling.EACH : beginning ? Telling.ONCE : Telling.PASSED_OVER;
        shown.put(secret, new Shown(version, telling));
        boolean known =
                before != null
                        && before.telling() == Telling.EACH
                        && !version.equals(ObjectVersion.NONE)
                        && version.equals(before.version());
        return telling != Telling.PASSED_OVER && !known;
    }

    /** Something refers to the Secret now; whether its newest contents were told. */
    boolean follow(ObjectRef secret) {
        Shown before = shown.get(secret);
        if (before == null) {
            return false;
        }
        shown.put(secret, new Shown(before.version(), Telling.EACH));
        return before.telling() != Telling.PASSED_OVER;
    }

    /** What is told of it is not known to be its newest contents. */
    void passOver(ObjectRef secret) {
        shown.computeIfPresent(
                secret, (_, before) -> new Shown(before.version(), Telling.PASSED_OVER));
    }

    /** No list shows the Secret any more. */
    void remove(ObjectRef secret) {
        shown.remove(secret);
    }
}
