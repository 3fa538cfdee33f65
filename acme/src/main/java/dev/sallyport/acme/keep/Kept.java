package dev.sallyport.acme.keep;

import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.CertificateId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How it stands with one certificate. Immutable.
 *
 * @param id which one
 * @param order what is wanted; empty where nobody wants it any more and it is kept for a while
 * @param issuers whom it may be ordered from
 * @param current the one that is stored, if any
 * @param serial its serial in hexadecimal; empty without one
 * @param window what the CA said of its renewal
 * @param plan what is to be done, and why
 * @param underWay how far the order has come that is being worked on; empty where there is none
 * @param orderedAt where that order is: the issuer's name
 * @param failures the orders in a row that came to nothing, the oldest first
 * @param servedUntil until when others serve its names, so that nothing is done
 * @param changed when any of this last became different, but for the plan's look-again time
 */
public record Kept(
        CertificateId id,
        Optional<CertificateOrder> order,
        List<String> issuers,
        Optional<CurrentCertificate> current,
        String serial,
        Optional<RenewalWindow> window,
        RenewalPlan plan,
        Optional<Station> underWay,
        Optional<String> orderedAt,
        List<Failure> failures,
        Optional<Instant> servedUntil,
        Instant changed) {
    public Kept {
        issuers = List.copyOf(issuers);
        failures = List.copyOf(failures);
    }

    Kept changedAt(Instant now) {
        return new Kept(
                id,
                order,
                issuers,
                current,
                serial,
                window,
                plan,
                underWay,
                orderedAt,
                failures,
                servedUntil,
                now);
    }

    /** What it is, or is to be, for; nothing where that cannot be known. */
    public Set<Identifier> names() {
        return order.<Set<Identifier>>map(it -> Set.copyOf(it.identifiers()))
                .or(() -> current.map(CurrentCertificate::identifiers))
                .orElse(Set.of());
    }
}
