package dev.sallyport.acme.plan;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A CA for which a year takes seconds: it is down now and then, fails at random, moves its renewal
 * windows, revokes, and writes down whoever asks for more than it allows. Repeatable by its seed.
 */
final class SimulatedCa {
    static final String NAME = "simulated";

    /** What we think that it allows: Let's Encrypt's limits. */
    static final List<RateLimit> LIMITS =
            RateLimits.of(URI.create("https://acme-v02.api.letsencrypt.org/directory"));

    /**
     * What it does allow, written down again: what we think of limits, of domains and of which
     * orders count is what is tested.
     */
    private record Rule(String name, int most, Duration within, Set<OrderKind> counted) {}

    private static final Rule ORDERS =
            new Rule(
                    "orders of the account",
                    300,
                    Duration.ofHours(3),
                    Set.of(OrderKind.FIRST, OrderKind.RENEWAL));
    private static final Rule DOMAIN =
            new Rule("certificates of the domain", 50, Duration.ofDays(7), Set.of(OrderKind.FIRST));
    private static final Rule DUPLICATES =
            new Rule(
                    "certificates of the same names",
                    5,
                    Duration.ofDays(7),
                    Set.of(OrderKind.FIRST, OrderKind.RENEWAL));
    private static final Rule DUPLICATES_A_DAY =
            new Rule(
                    "certificates of the same names in a day",
                    5,
                    Duration.ofDays(1),
                    Set.of(OrderKind.values()));
    private static final Rule FAILURES =
            new Rule(
                    "failed validations of the name",
                    5,
                    Duration.ofHours(1),
                    Set.of(OrderKind.values()));

    /** A stretch of time without the CA. */
    record Outage(Instant from, Instant to) {}

    /** What became of an order. */
    sealed interface Answer {
        record Issued(CurrentCertificate certificate) implements Answer {}

        record Refused(Cause cause) implements Answer {}
    }

    /** What was asked of it against its rules. */
    final List<String> violations = new ArrayList<>();

    int orders;
    int windowsAsked;
    int issued;

    private final Random random;
    private final List<Outage> outages = new ArrayList<>();
    private final Map<String, Deque<Instant>> counted = new HashMap<>();
    private final Map<CertificateOrder, Instant> notBefore = new HashMap<>();
    private final Map<CurrentCertificate, Instant> revoked = new HashMap<>();
    private final Set<CertificateOrder> known = new HashSet<>();

    SimulatedCa(long seed, Instant start) {
        random = new Random(seed);
        for (int day = 5; day < 365; day += 11 + random.nextInt(15)) {
            Instant from = start.plus(Duration.ofDays(day)).plusSeconds(random.nextInt(86_400));
            outages.add(new Outage(from, from.plus(Duration.ofMinutes(10 + random.nextInt(900)))));
        }
        Instant long7 = start.plus(Duration.ofDays(150));
        outages.add(new Outage(long7, long7.plus(Duration.ofDays(7))));
    }

    boolean isUp(Instant at) {
        return outages.stream().noneMatch(o -> !at.isBefore(o.from()) && at.isBefore(o.to()));
    }

    /** How long it was up between two instants. */
    Duration uptime(Instant from, Instant to) {
        if (!to.isAfter(from)) {
            return Duration.ZERO;
        }
        Set<Outage> merged = new HashSet<>(outages);
        Duration down = Duration.ZERO;
        Instant covered = from;
        for (Outage outage : merged.stream().sorted(Comparator.comparing(Outage::from)).toList()) {
            Instant begin = outage.from().isBefore(covered) ? covered : outage.from();
            Instant end = outage.to().isAfter(to) ? to : outage.to();
            if (end.isAfter(begin)) {
                down = down.plus(Duration.between(begin, end));
                covered = end;
            }
        }
        return Duration.between(from, to).minus(down);
    }

    Answer order(Instant at, CertificateOrder order, OrderKind kind, Duration lifetime) {
        if (!isUp(at)) {
            return new Answer.Refused(new Cause.Unreachable("connect timed out"));
        }
        orders++;
        Instant stop = notBefore.getOrDefault(order, Instant.MIN);
        if (at.isBefore(stop)) {
            violations.add(at + ": " + order + " before its Retry-After " + stop);
        }
        if (kind != OrderKind.FIRST && !known.contains(order)) {
            violations.add(at + ": " + order + " is no renewal");
        }
        count(at, ORDERS, kind, "");
        int chance = random.nextInt(1000);
        if (chance < 30) {
            return new Answer.Refused(new Cause.CaTrouble("500"));
        }
        if (chance < 50) {
            order.identifiers().forEach(it -> count(at, FAILURES, kind, it.text()));
            return new Answer.Refused(new Cause.ValidationFailed(order.identifiers(), "timed out"));
        }
        if (chance < 55) {
            Instant until = at.plus(Duration.ofHours(1));
            notBefore.put(order, until);
            return new Answer.Refused(
                    new Cause.RateLimited(Optional.of(until), false, "too many somethings"));
        }
        return issue(at, order, kind, lifetime);
    }

    private Answer issue(Instant at, CertificateOrder order, OrderKind kind, Duration lifetime) {
        String names =
                order.identifiers().stream()
                        .map(Identifier::text)
                        .sorted()
                        .collect(Collectors.joining(" "));
        count(at, DUPLICATES, kind, names);
        count(at, DUPLICATES_A_DAY, kind, names);
        order.identifiers().stream()
                .map(it -> it.text().replaceAll(".*?([^.]+\\.[^.]+)$", "$1"))
                .distinct()
                .forEach(domain -> count(at, DOMAIN, kind, domain));
        known.add(order);
        issued++;
        // An hour early, as Let's Encrypt has it for clocks that go wrong.
        Instant from = at.minus(Duration.ofHours(1));
        return new Answer.Issued(
                new CurrentCertificate(
                        order.identifiers(),
                        Optional.of(order.key()),
                        from,
                        from.plus(lifetime),
                        NAME,
                        true));
    }

    void revoke(CurrentCertificate certificate, Instant at) {
        revoked.putIfAbsent(certificate, at);
    }

    Optional<Instant> revoked(CurrentCertificate certificate) {
        return Optional.ofNullable(revoked.get(certificate));
    }

    /** Two thirds, give or take; every tenth certificate's is moved by some days. */
    Optional<RenewalWindow> window(CurrentCertificate certificate, Instant at) {
        windowsAsked++;
        if (revoked.containsKey(certificate)) {
            return RenewalWindow.of(
                    at.minus(Duration.ofDays(4)),
                    at.minus(Duration.ofDays(3)),
                    Optional.empty(),
                    Optional.empty(),
                    at);
        }
        Duration lifetime = certificate.lifetime();
        boolean moved = certificate.notAfter().getEpochSecond() % 10 == 0;
        Instant start =
                certificate.notBefore().plus(lifetime.multipliedBy(moved ? 95 : 64).dividedBy(100));
        return RenewalWindow.of(
                start,
                start.plus(lifetime.dividedBy(50)),
                Optional.of(at.plus(Duration.ofHours(6))),
                Optional.empty(),
                at);
    }

    private void count(Instant at, Rule rule, OrderKind kind, String what) {
        if (!rule.counted().contains(kind)) {
            return;
        }
        Deque<Instant> events =
                counted.computeIfAbsent(rule.name() + " " + what, _ -> new ArrayDeque<>());
        events.addLast(at);
        while (Duration.between(events.getFirst(), at).compareTo(rule.within()) >= 0) {
            events.removeFirst();
        }
        if (events.size() > rule.most()) {
            violations.add(at + ": " + events.size() + " " + rule.name() + " " + what);
        }
    }
}
