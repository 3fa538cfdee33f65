package dev.sallyport.app.admin;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.model.name.Hostname;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a keeper may know: a certificate of each kind. */
public final class AcmeStates {
    /** When all of this is so. */
    public static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private static final Instant RENEWAL = NOW.plus(Duration.ofDays(50));
    private static final RenewalWindow WINDOW =
            new RenewalWindow(
                    NOW.plus(Duration.ofDays(49)),
                    NOW.plus(Duration.ofDays(51)),
                    NOW.plus(Duration.ofHours(6)),
                    Optional.of(URI.create("https://ca.example/why")));

    private AcmeStates() {}

    /** Valid, being ordered, failing, served by others, gone. */
    public static KeeperState all() {
        return new KeeperState(
                true,
                true,
                List.of(kept(), ordered(), failing(), refused(), covered(), gone()),
                List.of(
                        new KeeperState.IssuerState(
                                "default",
                                URI.create("https://ca.example/dir"),
                                Optional.of(URI.create("https://ca.example/account/1")),
                                42),
                        new KeeperState.IssuerState(
                                "other",
                                URI.create("https://other.example/dir"),
                                Optional.empty(),
                                0)),
                new KeeperState.Counts(7, 3, Map.of("ValidationFailed", 2L)),
                Optional.empty());
    }

    /** One that expires tomorrow and is to be renewed then; others, which have longer, fail. */
    static KeeperState othersFail() {
        Instant tomorrow = NOW.plus(Duration.ofDays(1));
        Kept soon =
                kept(
                        "g.shop.example",
                        Optional.of(current(Duration.ofDays(1))),
                        new RenewalPlan.Keep(NOW, tomorrow, new Why.Lifetime(tomorrow, tomorrow)),
                        List.of(),
                        Optional.empty());
        return new KeeperState(
                true,
                true,
                List.of(soon, failing(), refused()),
                List.of(),
                new KeeperState.Counts(0, 0, Map.of()),
                Optional.empty());
    }

    /** One that is due, and whose issuer is not configured any more: nothing is ordered. */
    static KeeperState heldUp() {
        Kept due =
                kept(
                        "h.shop.example",
                        Optional.of(current(Duration.ofDays(3))),
                        new RenewalPlan.WaitUntil(
                                NOW.plus(Duration.ofHours(1)),
                                new Why.NoIssuer(List.of("old")),
                                new Why.Lifetime(
                                        NOW.minus(Duration.ofDays(1)),
                                        NOW.plus(Duration.ofDays(3)))),
                        List.of(),
                        Optional.empty());
        return new KeeperState(
                true,
                true,
                List.of(due, covered(), gone()),
                List.of(),
                new KeeperState.Counts(0, 0, Map.of()),
                Optional.empty());
    }

    /** A state in which nothing works. */
    public static KeeperState troubled() {
        return new KeeperState(
                false,
                false,
                List.of(),
                List.of(),
                new KeeperState.Counts(0, 0, Map.of()),
                Optional.of("the store cannot be read: no such disk"));
    }

    static Kept kept() {
        return kept(
                "a.shop.example",
                Optional.of(current(Duration.ofDays(80))),
                new RenewalPlan.Keep(WINDOW.askAgain(), RENEWAL, new Why.Window(RENEWAL, WINDOW)),
                List.of(),
                Optional.empty());
    }

    static Kept ordered() {
        CertificateOrder order = order("b.shop.example");
        return kept(
                "b.shop.example",
                Optional.empty(),
                new RenewalPlan.Issue(order, "default", OrderKind.FIRST, new Why.NoCertificate()),
                List.of(),
                Optional.of(Station.CHALLENGED));
    }

    static Kept failing() {
        return failing(
                "c.shop.example",
                new Cause.ValidationFailed(
                        Set.of(Identifier.parse("c.shop.example")), "404 from 192.0.2.1"),
                Duration.ofMinutes(30),
                false);
    }

    static Kept refused() {
        return failing(
                "d.shop.example",
                new Cause.AccountRefused(
                        Optional.of(URI.create("https://ca.example/terms")), "new terms"),
                Duration.ofHours(5),
                true);
    }

    private static Kept failing(String host, Cause cause, Duration next, boolean givenUp) {
        var first = new Failure(NOW.minus(Duration.ofHours(2)), "default", order(host), cause);
        var last = new Failure(NOW.minus(Duration.ofHours(1)), "default", order(host), cause);
        return kept(
                host,
                Optional.of(current(Duration.ofDays(10))),
                new RenewalPlan.WaitUntil(
                        NOW.plus(next),
                        new Why.Failed(last, 2, givenUp),
                        new Why.Lifetime(
                                NOW.minus(Duration.ofDays(1)), NOW.plus(Duration.ofDays(10)))),
                List.of(first, last),
                Optional.empty());
    }

    static Kept covered() {
        Instant until = NOW.plus(Duration.ofDays(20));
        return kept(
                "e.shop.example",
                Optional.empty(),
                new RenewalPlan.Keep(until, until, new Why.ServedByOthers(until)),
                List.of(),
                Optional.empty());
    }

    static Kept gone() {
        Instant end = NOW.plus(Duration.ofDays(6));
        return new Kept(
                CertificateId.of(Hostname.parse("f.shop.example")),
                Optional.empty(),
                List.of(),
                Optional.of(current(Duration.ofDays(70))),
                "0f",
                Optional.empty(),
                new RenewalPlan.Keep(end, end, new Why.HostGone(NOW.minus(Duration.ofDays(1)))),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                NOW);
    }

    private static Kept kept(
            String host,
            Optional<CurrentCertificate> current,
            RenewalPlan plan,
            List<Failure> failures,
            Optional<Station> underWay) {
        return new Kept(
                CertificateId.of(Hostname.parse(host)),
                Optional.of(order(host)),
                List.of("default", "other"),
                current,
                current.isPresent() ? "0a1b" : "",
                plan.why() instanceof Why.Window ? Optional.of(WINDOW) : Optional.empty(),
                plan,
                underWay,
                underWay.map(_ -> "default"),
                failures,
                plan.why() instanceof Why.ServedByOthers(Instant until)
                        ? Optional.of(until)
                        : Optional.empty(),
                NOW);
    }

    private static CertificateOrder order(String host) {
        return CertificateOrder.of(List.of(Identifier.parse(host)), KeyAlgorithm.EC_P256);
    }

    private static CurrentCertificate current(Duration left) {
        return new CurrentCertificate(
                Set.of(Identifier.parse("any.shop.example")),
                Optional.of(KeyAlgorithm.EC_P256),
                NOW.plus(left).minus(Duration.ofDays(90)),
                NOW.plus(left),
                "default",
                true);
    }
}
