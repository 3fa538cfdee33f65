package dev.sallyport.acme.plan;

import dev.sallyport.acme.plan.RetrySchedule.Retry;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What is to be done about one certificate. {@link #of} is a pure function. */
public sealed interface RenewalPlan {

    /** The reason. */
    Why why();

    /**
     * It serves.
     *
     * @param lookAgain when to decide anew, having asked the CA for its window
     * @param until when it is to be renewed, or discarded, as things are
     */
    record Keep(Instant lookAgain, Instant until, Why why) implements RenewalPlan {}

    /** One is to be ordered which replaces none, or one of other names or another kind. */
    record Issue(CertificateOrder order, String issuer, OrderKind kind, Why why)
            implements RenewalPlan {}

    /**
     * The same is to be ordered again.
     *
     * @param kind {@link OrderKind#REPLACEMENT} where the order is to say what it replaces
     */
    record Renew(CertificateOrder order, String issuer, OrderKind kind, Why why)
            implements RenewalPlan {}

    /**
     * One is to be ordered, but not yet.
     *
     * @param until when to decide anew
     * @param why what is waited for
     * @param purpose what it would be ordered for
     */
    record WaitUntil(Instant until, Why why, Why purpose) implements RenewalPlan {}

    /** Nobody has wanted it for so long that it may go, or others serve what it was for. */
    record Discard(Why why) implements RenewalPlan {}

    /** A CA that wants to be left alone for longer is not waited for, whatever serves. */
    Duration PATIENCE = Duration.ofHours(1);

    /** Decides. */
    static RenewalPlan of(Situation situation) {
        return switch (situation.demand()) {
            case Demand.Gone gone -> ofGone(situation, gone);
            case Demand.Wanted wanted -> ofWanted(situation, wanted);
        };
    }

    /**
     * Decides what is to be done where somebody asked for another certificate now: what failed
     * before does not count; what the CA allows does, and when it wants to be asked again.
     */
    static RenewalPlan asked(Situation situation) {
        return switch (situation.demand()) {
            case Demand.Gone gone -> ofGone(situation, gone);
            case Demand.Wanted wanted ->
                    order(
                            new Situation(
                                    situation.demand(),
                                    situation.current(),
                                    situation.window(),
                                    situation.failures().stream()
                                            .filter(RenewalPlan::isHeldByTheCa)
                                            .toList(),
                                    situation.ledger(),
                                    situation.rules(),
                                    situation.underway(),
                                    situation.seed(),
                                    situation.now()),
                            wanted,
                            new Why.Asked());
        };
    }

    private static boolean isHeldByTheCa(Failure failure) {
        return failure.cause() instanceof Cause.RateLimited limited && limited.until().isPresent();
    }

    /** Decides where the CA has revoked the certificate that serves: until there is another one. */
    static RenewalPlan revoked(Situation situation) {
        return switch (situation.demand()) {
            case Demand.Gone gone -> ofGone(situation, gone);
            case Demand.Wanted wanted -> order(situation, wanted, new Why.Revoked());
        };
    }

    private static RenewalPlan ofGone(Situation situation, Demand.Gone gone) {
        var why = new Why.HostGone(gone.since());
        Instant end = gone.since().plus(situation.rules().grace());
        return situation.now().isBefore(end) && situation.current().isPresent()
                ? new Keep(end, end, why)
                : new Discard(why);
    }

    private static RenewalPlan ofWanted(Situation situation, Demand.Wanted wanted) {
        if (situation.current().isEmpty()) {
            return order(situation, wanted, new Why.NoCertificate());
        }
        CurrentCertificate current = situation.current().get();
        Optional<Why> changed = changed(current, wanted);
        if (changed.isPresent()) {
            return order(situation, wanted, changed.get());
        }
        Due due = due(situation, current);
        return situation.now().isBefore(due.at())
                ? new Keep(lookAgain(situation, due.at()), due.at(), due.why())
                : order(situation, wanted, due.why());
    }

    private static Optional<Why> changed(CurrentCertificate current, Demand.Wanted wanted) {
        Set<Identifier> names = wanted.order().identifiers();
        if (!current.identifiers().equals(Set.copyOf(names))) {
            Set<Identifier> added = new HashSet<>(names);
            added.removeAll(current.identifiers());
            Set<Identifier> removed = new HashSet<>(current.identifiers());
            removed.removeAll(names);
            return Optional.of(new Why.NamesChanged(added, removed));
        }
        if (!current.key().equals(Optional.of(wanted.order().key()))) {
            return Optional.of(new Why.KeyChanged(wanted.order().key()));
        }
        return wanted.issuers().contains(current.issuer())
                ? current.outdated().map(Why.IssuerChanged::new)
                : Optional.of(new Why.IssuerChanged(current.issuer()));
    }

    /** When a certificate is to be renewed. */
    record Due(Instant at, Why why) {}

    private static Due due(Situation situation, CurrentCertificate current) {
        RenewalRules rules = situation.rules();
        if (!situation.now().isBefore(current.notAfter())) {
            return new Due(current.notAfter(), new Why.Expired(current.notAfter()));
        }
        Duration lifetime = current.lifetime();
        Instant usual =
                current.notBefore()
                        .plus(part(lifetime, rules.fractionFor(lifetime)))
                        .minus(
                                Jitter.share(
                                        Jitter.mix(
                                                situation.seed(),
                                                current.notAfter().getEpochSecond()),
                                        part(lifetime, rules.spread())));
        if (situation.window().isEmpty()) {
            return new Due(usual, new Why.Lifetime(usual, current.notAfter()));
        }
        RenewalWindow window = situation.window().get();
        if (window.end().isBefore(usual) && !window.end().isAfter(situation.now())) {
            return new Due(window.end(), new Why.Withdrawn(window));
        }
        Instant selected = window.select(situation.seed());
        Instant latest = current.notBefore().plus(part(lifetime, rules.latest()));
        // A CA may ask for later than we dare.
        return selected.isAfter(latest)
                ? new Due(latest, new Why.Lifetime(latest, current.notAfter()))
                : new Due(selected, new Why.Window(selected, window));
    }

    private static Duration part(Duration whole, double share) {
        return Duration.ofSeconds((long) (whole.toSeconds() * share));
    }

    private static Instant lookAgain(Situation situation, Instant due) {
        Instant ask =
                situation
                        .window()
                        .map(RenewalWindow::askAgain)
                        .filter(at -> at.isAfter(situation.now()))
                        .orElse(situation.now().plus(situation.rules().lookAgain()));
        return ask.isBefore(due) ? ask : due;
    }

    /** The first issuer that may be asked now, or how long to wait for one. */
    private static RenewalPlan order(Situation situation, Demand.Wanted wanted, Why purpose) {
        Optional<WaitUntil> shortest = Optional.empty();
        for (String issuer : wanted.issuers()) {
            OrderKind kind = kind(situation, wanted, issuer);
            Optional<WaitUntil> wait = wait(situation, wanted, issuer, kind, purpose);
            if (wait.isEmpty()) {
                return renews(purpose)
                        ? new Renew(wanted.order(), issuer, kind, purpose)
                        : new Issue(wanted.order(), issuer, kind, purpose);
            }
            if (shortest.isEmpty() || wait.get().until().isBefore(shortest.get().until())) {
                shortest = wait;
            }
            if (!mayFallBack(situation, wanted.order(), issuer, wait.get())) {
                break;
            }
        }
        return shortest.orElseThrow();
    }

    private static boolean renews(Why purpose) {
        return switch (purpose) {
            case Why.Lifetime _,
                    Why.Window _,
                    Why.Withdrawn _,
                    Why.Expired _,
                    Why.Asked _,
                    Why.Revoked _ ->
                    true;
            default -> false;
        };
    }

    private static OrderKind kind(Situation situation, Demand.Wanted wanted, String issuer) {
        Optional<CurrentCertificate> current =
                situation.current().filter(it -> it.issuer().equals(issuer));
        if (current.isEmpty()
                || !current.get().identifiers().equals(Set.copyOf(wanted.order().identifiers()))) {
            return OrderKind.FIRST;
        }
        // RFC 9773 section 5: servers refuse what replaces a certificate that has expired or was
        // replaced before.
        boolean replaces =
                current.get().replaceable() && situation.now().isBefore(current.get().notAfter());
        return replaces ? OrderKind.REPLACEMENT : OrderKind.RENEWAL;
    }

    private static Optional<WaitUntil> wait(
            Situation situation, Demand.Wanted wanted, String issuer, OrderKind kind, Why purpose) {
        Optional<WaitUntil> retry =
                lastFailure(situation, wanted.order(), issuer)
                        .map(last -> retry(situation, wanted.order(), last, purpose))
                        .filter(wait -> wait.until().isAfter(situation.now()));
        Optional<WaitUntil> limited =
                hold(situation, wanted.order(), issuer, kind)
                        .map(hold ->
                                new WaitUntil(
                                        hold.until(),
                                        new Why.Limited(issuer, hold.what()),
                                        purpose));
        return Stream.of(retry, limited)
                .flatMap(Optional::stream)
                .max(Comparator.comparing(WaitUntil::until));
    }

    private static Optional<OrderLedger.Hold> hold(
            Situation situation, CertificateOrder order, String issuer, OrderKind kind) {
        OrderLedger ledger = situation.ledger();
        return isUnderWay(situation, issuer)
                ? ledger.holdOfGoingOn(situation.now(), issuer, order)
                : ledger.hold(situation.now(), issuer, order, kind);
    }

    private static WaitUntil retry(
            Situation situation, CertificateOrder order, Failure last, Why purpose) {
        // Days without the CA are not to count when it then does not find a challenge.
        int failures =
                (int)
                        failures(situation, order, last.issuer()).stream()
                                .filter(it -> it.cause().pace() == last.cause().pace())
                                .count();
        Retry retry =
                situation
                        .rules()
                        .retries()
                        .after(last, failures, mostDelay(situation), situation.seed());
        return new WaitUntil(
                retry.at(), new Why.Failed(last, retry.failures(), retry.givenUp()), purpose);
    }

    /** The time that a valid certificate has left is worth at least some eight tries. */
    private static Duration mostDelay(Situation situation) {
        Duration least = Duration.ofMinutes(10);
        return situation
                .current()
                .map(current -> Duration.between(situation.now(), current.notAfter()).dividedBy(8))
                .filter(Duration::isPositive)
                .map(eighth -> eighth.compareTo(least) < 0 ? least : eighth)
                .orElse(Duration.ofDays(1));
    }

    private static boolean mayFallBack(
            Situation situation, CertificateOrder order, String issuer, WaitUntil wait) {
        if (wait.why() instanceof Why.Limited) {
            return isLong(situation, issuer, wait);
        }
        List<Failure> failures = failures(situation, order, issuer);
        Cause cause = failures.getLast().cause();
        return cause.helpedByAnotherIssuer()
                && switch (cause.pace()) {
                    case PEOPLE -> true;
                    case LIMIT -> isLong(situation, issuer, wait) || often(situation, failures);
                    // What has no certificate is not to wait for a CA that is away; unless it has
                    // an order there that only has to be gone on with.
                    case TROUBLE ->
                            often(situation, failures)
                                    || !(serves(situation) || isUnderWay(situation, issuer));
                    case OURS, VALIDATION -> often(situation, failures);
                };
    }

    private static boolean isUnderWay(Situation situation, String issuer) {
        return situation.underway().equals(Optional.of(issuer));
    }

    private static boolean isLong(Situation situation, String issuer, WaitUntil wait) {
        return !(serves(situation) || isUnderWay(situation, issuer))
                || wait.until().isAfter(situation.now().plus(PATIENCE))
                || situation
                        .current()
                        .filter(it -> wait.until().isAfter(it.notAfter()))
                        .isPresent();
    }

    private static boolean serves(Situation situation) {
        return situation
                .current()
                .filter(it -> situation.now().isBefore(it.notAfter()))
                .isPresent();
    }

    private static boolean often(Situation situation, List<Failure> failures) {
        return failures.size() >= situation.rules().fallbackAfter();
    }

    private static Optional<Failure> lastFailure(
            Situation situation, CertificateOrder order, String issuer) {
        List<Failure> failures = failures(situation, order, issuer);
        return failures.isEmpty() ? Optional.empty() : Optional.of(failures.getLast());
    }

    private static List<Failure> failures(
            Situation situation, CertificateOrder order, String issuer) {
        return situation.failures().stream()
                .filter(failure -> failure.issuer().equals(issuer) && failure.order().equals(order))
                .toList();
    }
}
