package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.WatchState.Condition;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What there is to say of watches: each finding when it begins and when it ends, in the same words
 * all the while. Not thread-safe.
 */
final class WatchFindings {
    private static final String API_SERVER = "api server";
    private static final String SINGLES = "secrets by name";

    private final Map<String, Condition> conditions = new HashMap<>();
    private Map<String, List<Finding>> changed = new HashMap<>();
    private final Set<String> missing = new HashSet<>(); // namespaces
    private boolean away;
    private boolean singlesSilent;

    /** A watch's state may have changed. */
    void judge(Watched<?> watched, WatchState state) {
        String step = "watch " + watched;
        // Where nobody answers at all, one finding says so.
        Condition now =
                away && state.condition() == Condition.SILENT ? Condition.FINE : state.condition();
        Condition before = conditions.put(step, now);
        if (now == (before == null ? Condition.FINE : before)) {
            return;
        }
        String why = state.trouble().map(trouble -> ": " + trouble).orElse("");
        switch (now) {
            case FINE -> resolve(step);
            case REFUSED -> say(step, refused(watched, state, why));
            case SILENT ->
                    say(
                            step,
                            Finding.of(
                                    Reason.WATCH_INTERRUPTED,
                                    object(watched),
                                    "no watch of "
                                            + watched
                                            + why
                                            + "; what was known stays in service",
                                    "Look at the API server; the watch is opened as soon as it lets."));
        }
    }

    /** It is not watched any more. */
    void forget(Watched<?> watched) {
        String step = "watch " + watched;
        if (conditions.remove(step) != null) {
            resolve(step);
        }
    }

    /** How many of the Secrets that are watched by themselves nothing is heard of. */
    void judgeSingleWatches(int silent) {
        boolean now = silent > 0 && !away;
        if (now == singlesSilent) {
            return;
        }
        singlesSilent = now;
        if (now) {
            say(
                    SINGLES,
                    Finding.of(
                            Reason.WATCH_INTERRUPTED,
                            new ObjectRef("Watch", "", "secrets-by-name"),
                            "no watch of "
                                    + silent
                                    + " Secrets that are watched by name; what was known stays in service",
                            "Look at the API server; the watches are opened as soon as it lets."));
        } else {
            resolve(SINGLES);
        }
    }

    /** A namespace that is to be watched: whether there is one. */
    void judgeNamespace(String name, boolean exists) {
        String step = "namespace " + name;
        if (exists) {
            if (missing.remove(name)) {
                resolve(step);
            }
        } else if (missing.add(name)) {
            say(
                    step,
                    Finding.of(
                            Reason.NAMESPACE_MISSING,
                            new ObjectRef("Namespace", "", name),
                            "to be watched, but there is no such namespace",
                            "Create it, or mend kubernetes.watch-namespaces (--watch-namespace)."));
        }
    }

    /** Whether the API server answers at all. */
    void judgeServer(String url, boolean answers, Optional<Contacts.Trouble> trouble) {
        if (away != answers) {
            return;
        }
        away = !answers;
        if (answers) {
            resolve(API_SERVER);
        } else {
            say(
                    API_SERVER,
                    Finding.of(
                            Reason.API_SERVER_UNREACHABLE,
                            ObjectRef.gateway("api-server"),
                            url
                                    + trouble.map(why -> ": " + why).orElse(": no answer")
                                    + "; what was known stays in service",
                            "Look at the API server and the network between."));
        }
    }

    /** Says something until {@link #resolve}. */
    void say(String step, Finding finding) {
        changed.put(step, List.of(finding));
    }

    /** Takes it back. */
    void resolve(String step) {
        changed.put(step, List.of());
    }

    /** What changed since the last call. */
    Map<String, List<Finding>> drain() {
        Map<String, List<Finding>> drained = changed;
        changed = new HashMap<>();
        return drained;
    }

    /** A Secret that is watched by itself and may not be read. */
    static Finding secretForbidden(ObjectRef secret, String why) {
        return Finding.of(
                Reason.SECRET_FORBIDDEN,
                secret,
                "the gateway may not read it: " + why,
                "Grant get, list and watch of secrets with resourceNames: ["
                        + secret.name()
                        + "] in namespace "
                        + secret.namespace()
                        + " to the gateway's service account.");
    }

    /** Objects that a list lacks. */
    static Finding heldBack(Watched<?> watched, int held, int known) {
        return Finding.of(
                Reason.LIST_HELD_BACK,
                object(watched),
                "a list of "
                        + watched
                        + " after a gap lacks "
                        + held
                        + " of "
                        + known
                        + " objects; they stay in service",
                "Look whether the API server lost data. If they were deleted, they go once"
                        + " kubernetes.hold-back is over and a second list lacks them too.");
    }

    /** Objects that are in service as they were stored, while others are as they are. */
    static Finding unseen(Watched<?> watched) {
        return Finding.of(
                Reason.STATE_STALE,
                object(watched),
                "what is served of "
                        + watched
                        + " is as it was stored, since no list told of it yet",
                "Grant list and watch of them, or do not watch the namespace any more"
                        + " (--watch-namespace).");
    }

    /** The object that findings about a watch are about. */
    static ObjectRef object(Watched<?> watched) {
        return new ObjectRef(
                "Watch", watched.scope().namespace().orElse(""), watched.kind().plural());
    }

    private static Finding refused(Watched<?> watched, WatchState state, String why) {
        return state.needed()
                ? Finding.of(
                        Reason.WATCH_FORBIDDEN,
                        object(watched),
                        watched + why + "; what was known stays in service",
                        "Grant list and watch of "
                                + watched.kind().plural()
                                + (watched.kind().group().isEmpty()
                                        ? ""
                                        : " in " + watched.kind().group())
                                + watched.scope()
                                        .namespace()
                                        .map(name -> " in namespace " + name)
                                        .orElse(" in all namespaces")
                                + " to the gateway's service account"
                                + watched.scope()
                                        .namespace()
                                        .map(_ -> ".")
                                        .orElse(
                                                ", or name the namespaces it may watch"
                                                        + " (--watch-namespace)."))
                : Finding.of(
                        Reason.WATCH_LIMITED,
                        object(watched),
                        watched + why + "; the gateway does without",
                        "");
    }
}
