package dev.sallyport.acme.plan;

import dev.sallyport.acme.plan.RateLimit.Scope;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What was asked of the CAs lately, held against what they allow. An order counts from when it is
 * begun, so that two at once cannot both take the last one allowed.
 *
 * <p>Not thread-safe: belongs to whoever decides about orders. Holds a year's events of thousands
 * of certificates in little memory, since what left the longest window is forgotten.
 */
public final class OrderLedger {
    /** So many certificates of one issuer that the CA said stop to mean that it means everybody. */
    private static final int MEANS_ALL = 3;

    /**
     * Something that was counted; in the order of time.
     *
     * @param issuer for what a CA counts over all accounts, the first one of that CA
     */
    private record Key(String issuer, RateLimit limit, String counted) {}

    /**
     * A reason to wait.
     *
     * @param until from when the order may be made
     * @param what the limit's name, or what the CA asked for
     */
    public record Hold(Instant until, String what) {}

    private final Map<String, List<RateLimit>> limits;
    private final Map<String, String> firstOfSameCa;
    private final Map<Key, Deque<Instant>> counted = new HashMap<>();
    private final Map<String, Map<String, Instant>> stopped = new HashMap<>();
    private final Map<String, Instant> paused = new HashMap<>();

    /** An empty one, of issuers that have a CA each. */
    public OrderLedger(Map<String, List<RateLimit>> limits) {
        this(limits, Map.of());
    }

    /**
     * An empty one.
     *
     * @param limits by issuer's name; an issuer without is not limited
     * @param firstOfSameCa by issuer's name that of the first issuer of the same CA; an issuer
     *     without shares it with no other
     */
    public OrderLedger(Map<String, List<RateLimit>> limits, Map<String, String> firstOfSameCa) {
        this.firstOfSameCa = Map.copyOf(firstOfSameCa);
        this.limits =
                limits.entrySet().stream()
                        .collect(
                                Collectors.toUnmodifiableMap(
                                        Map.Entry::getKey, e -> List.copyOf(e.getValue())));
    }

    /** An order is about to be made. */
    public void begun(Instant at, String issuer, CertificateOrder order, OrderKind kind) {
        counting(issuer, order, kind).forEach(key -> events(key).addLast(at));
    }

    /** One that was begun went on with an order that there was, or came to none: it counts not. */
    public void notMade(Instant begun, String issuer, CertificateOrder order, OrderKind kind) {
        counting(issuer, order, kind).forEach(key -> events(key).removeLastOccurrence(begun));
    }

    /**
     * An order that was made came to nothing: it counts as an order, but as a certificate only
     * where the CA issued one.
     */
    public void failed(Instant begun, Failure failure, OrderKind kind) {
        if (!(failure.cause() instanceof Cause.WrongCertificate)) {
            counting(failure.issuer(), failure.order(), kind)
                    .filter(key -> isOfTheCa(key.limit()))
                    .forEach(key -> events(key).removeLastOccurrence(begun));
        }
        note(failure);
    }

    /** What an order counts against. */
    private Stream<Key> counting(String issuer, CertificateOrder order, OrderKind kind) {
        return limitsOf(issuer).stream()
                .filter(limit -> limit.counts(kind))
                .flatMap(limit ->
                        countedBy(limit, order).stream().map(what -> key(issuer, limit, what)));
    }

    private Key key(String issuer, RateLimit limit, String what) {
        String by = isOfTheCa(limit) ? firstOfSameCa.getOrDefault(issuer, issuer) : issuer;
        return new Key(by, limit, what);
    }

    /** What a failure says of the CA's limits, whether or not an order was made. */
    public void note(Failure failure) {
        switch (failure.cause()) {
            case Cause.ValidationFailed validation ->
                    invalid(failure.at(), failure.issuer(), validation.identifiers());
            case Cause.RateLimited limited ->
                    limited.untilAfter(failure.at())
                            .ifPresent(until -> stop(failure, limited, until));
            default -> {}
        }
    }

    /** What speaks against an order now; empty where nothing does. */
    public Optional<Hold> hold(Instant now, String issuer, CertificateOrder order, OrderKind kind) {
        return hold(now, issuer, order, limit -> limit.counts(kind));
    }

    /** What speaks against going on with one that was made and counted. */
    Optional<Hold> holdOfGoingOn(Instant now, String issuer, CertificateOrder order) {
        return hold(now, issuer, order, _ -> false);
    }

    private Optional<Hold> hold(
            Instant now, String issuer, CertificateOrder order, Predicate<RateLimit> counts) {
        Optional<Hold> longest = pause(now, issuer);
        for (RateLimit limit : limitsOf(issuer)) {
            Collection<String> whats =
                    limit.scope() == Scope.FAILED_VALIDATIONS
                            ? texts(order.identifiers())
                            : counts.test(limit) ? countedBy(limit, order) : Set.of();
            for (String what : whats) {
                longest = later(longest, hold(now, key(issuer, limit, what)));
            }
        }
        return longest;
    }

    /**
     * What counts against a limit.
     *
     * @param limit its name
     * @param what the account, domain or identifiers that it counts for
     * @param times when, in order
     */
    public record Counted(String issuer, String limit, String what, List<Instant> times) {
        public Counted {
            times = List.copyOf(times);
        }
    }

    /**
     * What a CA asked to wait for.
     *
     * @param identifiers of the order, as one word; empty where it meant the account
     * @param until until when
     */
    public record Stopped(String issuer, String identifiers, Instant until) {}

    /** All that counts; what does not any more is forgotten. */
    public List<Counted> counted(Instant now) {
        counted.entrySet()
                .removeIf(each -> {
                    prune(each.getValue(), each.getKey().limit(), now);
                    return each.getValue().isEmpty();
                });
        return counted.entrySet().stream()
                .map(each ->
                        new Counted(
                                each.getKey().issuer(),
                                each.getKey().limit().name(),
                                each.getKey().counted(),
                                List.copyOf(each.getValue())))
                .toList();
    }

    /** All that is still to be waited for; the rest is forgotten. */
    public List<Stopped> stopped(Instant now) {
        paused.values().removeIf(until -> !until.isAfter(now));
        stopped.values().forEach(each -> each.values().removeIf(until -> !until.isAfter(now)));
        stopped.values().removeIf(Map::isEmpty);
        List<Stopped> all = new ArrayList<>();
        paused.forEach((issuer, until) -> all.add(new Stopped(issuer, "", until)));
        stopped.forEach((issuer, each) ->
                each.forEach((what, until) -> all.add(new Stopped(issuer, what, until))));
        return all;
    }

    /** What counted in another process; nothing where there is no such limit any more. */
    public void restore(Counted events) {
        for (RateLimit limit : limitsOf(events.issuer())) {
            if (limit.name().equals(events.limit())) {
                restore(key(events.issuer(), limit, events.what()), events.times());
            }
        }
    }

    /**
     * What counted in another process for an issuer that is not there any more, but whose CA is:
     * what the CA counts for all its accounts counts on.
     *
     * @param heir another issuer of that CA
     */
    public void inherit(Counted events, String heir) {
        for (RateLimit limit : limitsOf(heir)) {
            if (limit.name().equals(events.limit()) && isOfTheCa(limit)) {
                restore(key(heir, limit, events.what()), events.times());
            }
        }
    }

    private static boolean isOfTheCa(RateLimit limit) {
        return switch (limit.scope()) {
            case ACCOUNT, FAILED_VALIDATIONS -> false;
            case REGISTERED_DOMAIN, SAME_IDENTIFIERS -> true;
        };
    }

    /** The issuers of one CA may have been counted each. */
    private void restore(Key key, List<Instant> times) {
        Deque<Instant> events = events(key);
        List<Instant> sorted = Stream.concat(events.stream(), times.stream()).sorted().toList();
        events.clear();
        events.addAll(sorted);
    }

    /** What another process was told. */
    public void restore(Stopped stop) {
        if (stop.identifiers().isEmpty()) {
            paused.merge(stop.issuer(), stop.until(), OrderLedger::later);
        } else {
            stopped.computeIfAbsent(stop.issuer(), _ -> new HashMap<>())
                    .put(stop.identifiers(), stop.until());
        }
    }

    private static void prune(Deque<Instant> events, RateLimit limit, Instant now) {
        while (!events.isEmpty() && !events.getFirst().plus(limit.within()).isAfter(now)) {
            events.removeFirst();
        }
    }

    private void invalid(Instant at, String issuer, Set<Identifier> identifiers) {
        for (RateLimit limit : limitsOf(issuer)) {
            if (limit.scope() == Scope.FAILED_VALIDATIONS) {
                for (String what : texts(identifiers)) {
                    events(key(issuer, limit, what)).addLast(at);
                }
            }
        }
    }

    private void stop(Failure failure, Cause.RateLimited limited, Instant until) {
        if (limited.wholeAccount()) {
            paused.merge(failure.issuer(), until, OrderLedger::later);
        } else {
            stopped.computeIfAbsent(failure.issuer(), _ -> new HashMap<>())
                    .put(failure.order().identifierText(), until);
        }
    }

    /** The account's pause, or the earliest end of those that many certificates got each. */
    private Optional<Hold> pause(Instant now, String issuer) {
        Instant whole = paused.get(issuer);
        Optional<Hold> pause =
                whole != null && whole.isAfter(now)
                        ? Optional.of(new Hold(whole, "Retry-After for the account"))
                        : Optional.empty();
        Map<String, Instant> each = stopped.getOrDefault(issuer, Map.of());
        each.values().removeIf(until -> !until.isAfter(now));
        if (each.size() < MEANS_ALL) {
            return pause;
        }
        Instant first = each.values().stream().min(Instant::compareTo).orElseThrow();
        return later(pause, Optional.of(new Hold(first, "Retry-After for several certificates")));
    }

    private Optional<Hold> hold(Instant now, Key key) {
        Deque<Instant> events = counted.get(key);
        if (events == null) {
            return Optional.empty();
        }
        Duration within = key.limit().within();
        prune(events, key.limit(), now);
        if (events.isEmpty()) {
            counted.remove(key);
        }
        int surplus = events.size() - key.limit().most();
        if (surplus < 0) {
            return Optional.empty();
        }
        Iterator<Instant> oldest = events.iterator();
        Instant leaves = oldest.next();
        for (int i = 0; i < surplus; i++) {
            leaves = oldest.next();
        }
        return Optional.of(new Hold(leaves.plus(within), key.limit().name()));
    }

    private static Collection<String> countedBy(RateLimit limit, CertificateOrder order) {
        return switch (limit.scope()) {
            case ACCOUNT -> Set.of("");
            case SAME_IDENTIFIERS -> Set.of(order.identifierText());
            case REGISTERED_DOMAIN ->
                    order.identifiers().stream()
                            .map(RegisteredDomain::of)
                            .collect(Collectors.toUnmodifiableSet());
            case FAILED_VALIDATIONS -> Set.of();
        };
    }

    private static Collection<String> texts(Collection<Identifier> identifiers) {
        return identifiers.stream().map(Identifier::text).toList();
    }

    private List<RateLimit> limitsOf(String issuer) {
        return limits.getOrDefault(issuer, List.of());
    }

    private Deque<Instant> events(Key key) {
        return counted.computeIfAbsent(key, _ -> new ArrayDeque<>());
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static Optional<Hold> later(Optional<Hold> one, Optional<Hold> other) {
        if (one.isEmpty() || other.isEmpty()) {
            return one.isEmpty() ? other : one;
        }
        return one.get().until().isAfter(other.get().until()) ? one : other;
    }
}
