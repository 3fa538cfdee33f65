package dev.sallyport.acme.keep;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredCertificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the keeper's thread knows of one certificate. */
final class Entry {
    /** Of failures in a row at one issuer; the older ones change nothing. */
    static final int MOST_FAILURES = 50;

    /**
     * An order that is being worked on.
     *
     * @param number tells it from the one before for the same certificate
     */
    record Run(
            long number,
            Thread thread,
            Instant begun,
            Issuer issuer,
            CertificateOrder order,
            OrderKind kind) {}

    /** An order that was made, and may be gone on with by the same issuer only. */
    record Underway(String issuer, CertificateOrder order) {}

    final CertificateId id;
    final long seed;
    final List<Failure> failures = new ArrayList<>();
    @Nullable Wish wish;
    @Nullable Instant goneSince; // set where there is no wish
    @Nullable Instant openSince; // since when its wish's prospect is what it is
    @Nullable StoredCertificate stored;
    @Nullable X509Certificate leaf; // of what is stored
    @Nullable String damage; // why what is stored cannot be read
    @Nullable RenewalWindow window;
    @Nullable Instant askAt; // when the CA is to be asked for its window
    boolean asking;
    boolean asked; // by a person: not what the plan says, but now
    @Nullable RenewalPlan plan;
    @Nullable Run run;
    @Nullable Station station;
    boolean made; // whether the run has an order made, and does not go on with one
    @Nullable Underway underway; // an order whose URL is stored
    @Nullable Instant madeAt; // when that was begun, where it is known
    @Nullable String revoked; // the serial number of what the CA has revoked at our word
    @Nullable Instant due; // in the schedule
    boolean queued;
    @Nullable Kept kept;

    Entry(CertificateId id) {
        this.id = id;
        this.seed = seed(id.text());
    }

    /** FNV-1a: the same on every replica and after every start. */
    private static long seed(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    /** What is stored now; what the CA said of the one before counts no more. */
    void store(@Nullable StoredCertificate certificate) {
        stored = certificate;
        leaf = certificate == null ? null : certificate.leaf();
        window = null;
        damage = null;
    }

    /**
     * The certificate as the plan knows it.
     *
     * @param issuer who issued it; empty where that is not configured any more, so that the
     *     certificate is somebody else's
     */
    Optional<CurrentCertificate> current(Optional<Issuer> issuer) {
        StoredCertificate from = stored;
        X509Certificate of = leaf;
        if (from == null || of == null) {
            return Optional.empty();
        }
        boolean same = issuer.isPresent();
        CurrentCertificate current =
                CurrentCertificate.of(
                        of, same ? from.issuer() : from.directory().toString(), window != null);
        String profile = issuer.flatMap(Issuer::profile).orElse("");
        return Optional.of(
                from.profile()
                        .filter(it -> same && !it.equals(profile))
                        .map(it -> current.outdated(profiled(from.issuer(), it)))
                        .orElse(current));
    }

    private static String profiled(String issuer, String profile) {
        return issuer + (profile.isEmpty() ? " without a profile" : " with the profile " + profile);
    }

    void failed(Failure failure) {
        List<Failure> same =
                failures.stream().filter(it -> it.issuer().equals(failure.issuer())).toList();
        if (same.size() >= MOST_FAILURES) {
            failures.remove(same.getFirst());
        }
        failures.add(failure);
    }

    /** Those without a certificate first, then the one that expires next. */
    Instant urgency() {
        X509Certificate has = leaf;
        return has == null ? Instant.MIN : has.getNotAfter().toInstant();
    }
}
