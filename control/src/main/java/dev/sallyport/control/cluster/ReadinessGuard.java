package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
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
 * are heard again. All of them, the controllers too, may take a minute and more to notice that the
 * API server is back. So an endpoint that turns not ready in the time after a gap is in doubt
 * ({@link Resource.OfEndpointSlice#doubted}) until it is ready, terminates or is gone, or that time
 * is over; another gap begins it anew.
 *
 * <p>Time is passed in, in nanoseconds of a clock that only goes forward. Not thread-safe.
 */
final class ReadinessGuard {
    /** Five minutes of one: who doubts for too long answers 502 instead of 503, and no more. */
    private static final int LASTS = 5;

    private final long lasts;
    private final Map<ObjectRef, Resource.OfEndpointSlice> known = new HashMap<>(); // as told
    private final Set<ObjectRef> withDoubts = new LinkedHashSet<>();
    private @Nullable Long doubtsUntil; // null: there was no gap

    /**
     * @param holdBack for five times as long after a gap what turns not ready is in doubt
     */
    ReadinessGuard(Duration holdBack) {
        this.lasts = LASTS * holdBack.toNanos();
    }

    /** There was a gap that ends now, or later. */
    void gap(long now) {
        doubtsUntil = now + lasts;
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
        Resource.OfEndpointSlice told =
                before == null || !doubtsAt(now) ? slice : slice.doubting(doubted(before, slice));
        known.put(ref, told);
        if (told.doubted().isEmpty()) {
            withDoubts.remove(ref);
        } else {
            withDoubts.add(ref);
        }
        return told;
    }

    /** The slice is gone. */
    void gone(ObjectRef slice) {
        known.remove(slice);
        withDoubts.remove(slice);
    }

    /** Once the time is over, those with doubts: as they are, without. */
    List<Resource.OfEndpointSlice> over(long now) {
        if (withDoubts.isEmpty() || doubtsAt(now)) {
            return List.of();
        }
        List<Resource.OfEndpointSlice> over = new ArrayList<>();
        for (ObjectRef ref : withDoubts) {
            Resource.OfEndpointSlice slice =
                    Objects.requireNonNull(known.get(ref)).doubting(Set.of());
            known.put(ref, slice);
            over.add(slice);
        }
        withDoubts.clear();
        return over;
    }

    private boolean doubtsAt(long now) {
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
