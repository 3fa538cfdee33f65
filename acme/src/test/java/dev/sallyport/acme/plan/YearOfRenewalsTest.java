package dev.sallyport.acme.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.plan.RenewalPlan.Discard;
import dev.sallyport.acme.plan.RenewalPlan.Issue;
import dev.sallyport.acme.plan.RenewalPlan.Keep;
import dev.sallyport.acme.plan.RenewalPlan.Renew;
import dev.sallyport.acme.plan.RenewalPlan.WaitUntil;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A year of 1,000 certificates against a CA with outages (one of seven days), random failures,
 * moved windows and revocations.
 */
@Tag("slow")
class YearOfRenewalsTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant END = START.plus(Duration.ofDays(365));
    private static final int CERTIFICATES = 1_000;

    /** Of the CA's time, after which nothing excuses a certificate that is not renewed. */
    private static final Duration PATIENCE = Duration.ofHours(6);

    /** Of the CA's time, within which one that was revoked is replaced, once we may ask. */
    private static final Duration REACTION = Duration.ofHours(9);

    private final OrderLedger ledger =
            new OrderLedger(Map.of(SimulatedCa.NAME, SimulatedCa.LIMITS));
    private final List<String> broken = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void noneExpiresWhileTheCaIsUpAndNoLimitIsExceeded(long seed) {
        var ca = new SimulatedCa(seed, START);
        List<Host> hosts = new ArrayList<>();
        for (int i = 0; i < CERTIFICATES; i++) {
            hosts.add(new Host(i));
        }
        var chance = new Random(seed);
        Instant nextRevocation = START.plus(Duration.ofDays(10));
        Instant massRevocation = START.plus(Duration.ofDays(200));
        var queue = new PriorityQueue<Host>(Comparator.comparing((Host host) -> host.wake));
        queue.addAll(hosts);
        while (queue.peek() != null && queue.peek().wake.isBefore(END)) {
            Host host = queue.remove();
            Instant now = host.wake;
            if (now.isAfter(nextRevocation)) {
                revoke(ca, hosts.get(chance.nextInt(CERTIFICATES)), now);
                nextRevocation = now.plus(Duration.ofDays(1));
            }
            if (now.isAfter(massRevocation)) {
                hosts.subList(300, 500).forEach(each -> revoke(ca, each, now));
                massRevocation = Instant.MAX;
            }
            host.step(ca, now);
            queue.add(host);
        }
        hosts.forEach(host -> host.checkAlive(ca, END));
        assertThat(broken).isEmpty();
        assertThat(ca.violations).isEmpty();
        assertThat(ca.orders)
                .as("orders for %s certificates", ca.issued)
                .isLessThan(ca.issued * 11 / 10);
        assertThat(ca.issued).isBetween(15_000, 35_000);
        assertThat(ca.windowsAsked).isLessThan(CERTIFICATES * 365 * 5);
    }

    private static void revoke(SimulatedCa ca, Host host, Instant at) {
        host.current.filter(it -> it.notAfter().isAfter(at)).ifPresent(it -> ca.revoke(it, at));
    }

    /** One host and all that is known of its certificate. */
    private final class Host {
        private final CertificateOrder order;
        private final Duration lifetime;
        private final long seed;
        private Instant wake = START;
        private Optional<CurrentCertificate> current = Optional.empty();
        private Optional<RenewalWindow> window = Optional.empty();
        private final List<Failure> failures = new ArrayList<>();

        Host(int number) {
            order =
                    Situations.order(
                            "h" + number + ".owner" + number / 20 + ".example",
                            "www.h" + number + ".owner" + number / 20 + ".example");
            lifetime = Duration.ofDays(number % 5 == 0 ? 6 : number % 5 == 1 ? 45 : 90);
            seed = number;
        }

        void step(SimulatedCa ca, Instant now) {
            askForWindow(ca, now);
            var situation =
                    new Situation(
                            new Demand.Wanted(order, List.of(SimulatedCa.NAME)),
                            current,
                            window,
                            failures,
                            ledger,
                            RenewalRules.STANDARD,
                            Optional.empty(),
                            seed,
                            now);
            wake =
                    switch (RenewalPlan.of(situation)) {
                        case Keep keep -> keep.lookAgain();
                        case WaitUntil wait -> wait.until();
                        case Issue issue -> order(ca, now, issue.kind());
                        case Renew renew -> order(ca, now, renew.kind());
                        case Discard _ -> throw new AssertionError("it is wanted");
                    };
            if (!wake.isAfter(now)) {
                broken.add(now + ": " + order + " does not come to rest");
                wake = END;
            }
        }

        private void askForWindow(SimulatedCa ca, Instant now) {
            boolean due = window.map(it -> !it.askAgain().isAfter(now)).orElse(true);
            if (current.isPresent() && due && ca.isUp(now)) {
                window = ca.window(current.get(), now);
            }
        }

        private Instant order(SimulatedCa ca, Instant now, OrderKind kind) {
            ledger.begun(now, SimulatedCa.NAME, order, kind);
            Instant done = now.plusSeconds(5);
            switch (ca.order(now, order, kind, lifetime)) {
                case SimulatedCa.Answer.Issued issued -> {
                    checkAlive(ca, now);
                    checkReaction(ca, now);
                    current = Optional.of(issued.certificate());
                    window = Optional.empty();
                    failures.clear();
                }
                case SimulatedCa.Answer.Refused refused -> {
                    var failure = new Failure(now, SimulatedCa.NAME, order, refused.cause());
                    ledger.failed(now, failure, kind);
                    failures.add(failure);
                }
            }
            return done;
        }

        /** It expired only where the CA gave it no chance. */
        void checkAlive(SimulatedCa ca, Instant now) {
            if (current.isEmpty()) {
                if (ca.uptime(START, now).compareTo(Duration.ofHours(24)) > 0) {
                    broken.add(now + ": " + order + " had to wait for its first certificate");
                }
                return;
            }
            Instant end = current.get().notAfter();
            if (now.isAfter(end)) {
                Instant latest =
                        current.get()
                                .notBefore()
                                .plus(current.get().lifetime().multipliedBy(7).dividedBy(8));
                if (ca.uptime(latest, end).compareTo(PATIENCE) > 0) {
                    broken.add(now + ": " + order + " expired at " + end + ", the CA was up");
                }
                if (ca.uptime(end, now).compareTo(PATIENCE) > 0) {
                    broken.add(now + ": " + order + " expired at " + end + ", renewed too late");
                }
            }
        }

        private void checkReaction(SimulatedCa ca, Instant now) {
            current.flatMap(ca::revoked)
                    .filter(at -> ca.uptime(at, now).compareTo(REACTION) > 0)
                    .ifPresent(at ->
                            broken.add(now + ": " + order + " replaced late, revoked at " + at));
        }
    }
}
