package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Says which endpoints that are not ready any more may be ready all the same. While an API server
 * is away no kubelet can renew its lease; once it is back, its node controller may find each node
 * silent for too long, and mark all Pods not ready, those that answer as well, until their kubelets
 * are heard again. So an endpoint that turns not ready soon after a gap is in doubt ({@link
 * Resource.OfEndpointSlice#doubted}) until it is ready, terminates or is gone, and no longer than
 * for a time; not while there is another gap, in which nobody could say otherwise.
 *
 * <p>Time is passed in, in nanoseconds of a clock that only goes forward. Not thread-safe.
 */
final class ReadinessGuard {
    /** A kubelet that lost its API server more than once looks again after up to a minute. */
    private static final int LASTS = 2;

    private final long holdBack;
    private final Map<ObjectRef, Resource.OfEndpointSlice> known = new HashMap<>(); // as told
    private final Map<ObjectRef, Long> due = new LinkedHashMap<>(); // of those with doubts
    private @Nullable Long doubtsUntil; // null: there was no gap

    /**
     * @param holdBack how long after a gap what turns not ready is in doubt; it stays so twice as
     *     long
     */
    ReadinessGuard(Duration holdBack) {
        this.holdBack = holdBack.toNanos();
    }

    /** There was a gap that ends now, or later. */
    void gap(long now) {
        doubtsUntil = now + holdBack;
    }

    /**
     * The slice is in service as it is here, from before a gap; returns what is to be told of it
     * where it was seen already, and that differs.
     */
    Optional<Resource.OfEndpointSlice> inService(Resource.OfEndpointSlice before, long now) {
        Resource.OfEndpointSlice seen = known.put(before.ref(), before);
        return seen == null
                ? Optional.empty()
                : Optional.of(seen(seen, now)).filter(told -> !told.equals(seen));
    }

    /** The slice is like this; returns what is to be told of it. */
    Resource.OfEndpointSlice seen(Resource.OfEndpointSlice slice, long now) {
        ObjectRef ref = slice.ref();
        Resource.OfEndpointSlice before = known.get(ref);
        Long ends = due.get(ref);
        boolean doubts = doubtsNow(now) || (ends != null && now - ends < 0);
        Resource.OfEndpointSlice told =
                before == null || !doubts ? slice : slice.doubting(doubted(before, slice));
        known.put(ref, told);
        if (told.doubted().isEmpty()) {
            due.remove(ref);
        } else if (ends == null) {
            due.put(ref, now + LASTS * holdBack);
        }
        return told;
    }

    /** The slice is gone. */
    void gone(ObjectRef slice) {
        known.remove(slice);
        due.remove(slice);
    }

    /** Those whose time is over: as they are, without doubts. */
    List<Resource.OfEndpointSlice> over(long now) {
        List<Resource.OfEndpointSlice> over = new ArrayList<>();
        if (doubtsNow(now)) {
            return over;
        }
        // The oldest is the first.
        var oldest = due.entrySet().iterator();
        while (oldest.hasNext()) {
            Map.Entry<ObjectRef, Long> next = oldest.next();
            if (now - next.getValue() < 0) {
                break;
            }
            oldest.remove();
            Resource.OfEndpointSlice slice =
                    Objects.requireNonNull(known.get(next.getKey())).doubting(Set.of());
            known.put(slice.ref(), slice);
            over.add(slice);
        }
        return over;
    }

    private boolean doubtsNow(long now) {
        Long until = doubtsUntil;
        return until != null && now - until < 0;
    }

    private static Set<String> doubted(
            Resource.OfEndpointSlice before, Resource.OfEndpointSlice now) {
        Set<String> unready = addresses(now, ReadinessGuard::isMarkedNotReady);
        if (!unready.isEmpty()) {
            Set<String> served = addresses(before, Resource.OfEndpointSlice::isReady);
            served.addAll(before.doubted());
            unready.retainAll(served);
        }
        return unready;
    }

    private static Set<String> addresses(
            Resource.OfEndpointSlice slice, Predicate<Endpoint> which) {
        Set<String> addresses = new HashSet<>();
        Resource.OfEndpointSlice.endpoints(slice.slice())
                .filter(which)
                .flatMap(Resource.OfEndpointSlice::addresses)
                .forEach(addresses::add);
        return addresses;
    }

    /** Not for that it terminates. */
    private static boolean isMarkedNotReady(Endpoint endpoint) {
        return !Resource.OfEndpointSlice.isReady(endpoint)
                && !Boolean.TRUE.equals(endpoint.getConditions().getTerminating());
    }
}
