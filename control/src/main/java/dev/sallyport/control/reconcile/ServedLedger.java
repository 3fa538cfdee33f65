package dev.sallyport.control.reconcile;

import dev.sallyport.control.reconcile.ServedTruth.Provenance;
import dev.sallyport.control.reconcile.ServedTruth.Unserved;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.SecretStanding;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the {@link ServedTruth}: compares what the data plane serves with what it served before,
 * and with the Secrets that changed. A rotation costs the same among ten hosts or a hundred
 * thousand. Confined to the reconciler's thread.
 */
final class ServedLedger {
    private final CertificateCatalog catalog;

    /** How often a bundle stands in the table that is served. */
    private final Map<CertificateBundle, Integer> uses = new HashMap<>();

    private CertificateTable table = CertificateTable.EMPTY;
    private Set<ObjectRef> refused = Set.of();
    private ServedTruth truth = ServedTruth.EMPTY;

    ServedLedger(CertificateCatalog catalog) {
        this.catalog = catalog;
    }

    /**
     * The truth now.
     *
     * @param applied what the data plane serves
     * @param now the time after it had put that in service
     */
    ServedTruth update(Applied applied, Instant now) {
        Map<CertificateBundle, @Nullable Provenance> changes = new LinkedHashMap<>();
        compareTables(applied.certificates(), now, changes);
        Set<ObjectRef> touched = catalog.takeTouched();
        Set<ObjectRef> refusedNow = refusedBy(applied);
        touched.addAll(refused);
        touched.addAll(refusedNow);
        Map<ObjectRef, @Nullable Unserved> unserved = new LinkedHashMap<>();
        for (ObjectRef secret : touched) {
            Optional<SecretStanding> standing = catalog.standing(secret);
            standing.ifPresent(known -> noteVersion(known, changes));
            Unserved entry =
                    standing.flatMap(known -> unserved(known, secret, refusedNow)).orElse(null);
            if (!Objects.equals(entry, truth.unserved().get(secret))) {
                unserved.put(secret, entry);
            }
        }
        refused = refusedNow;
        truth = new ServedTruth(truth.provenance().with(changes), truth.unserved().with(unserved));
        return truth;
    }

    @SuppressWarnings("ReferenceEquality") // unchanged parts of a table keep their identity
    private void compareTables(
            CertificateTable now,
            Instant instant,
            Map<CertificateBundle, @Nullable Provenance> changes) {
        if (now == table) {
            return;
        }
        Map<CertificateBundle, ServedCertificate> appeared = new LinkedHashMap<>();
        HostTable<CertificateSet> before = table.hosts();
        now.hosts()
                .forEachChange(
                        before, (host, set) -> replace(before.get(host), set, appeared, changes));
        replace(table.fallback().orElse(null), now.fallback().orElse(null), appeared, changes);
        table = now;
        appeared.forEach((bundle, served) -> changes.put(bundle, provenance(served, instant)));
    }

    private void replace(
            @Nullable CertificateSet before,
            @Nullable CertificateSet now,
            Map<CertificateBundle, ServedCertificate> appeared,
            Map<CertificateBundle, @Nullable Provenance> changes) {
        for (ServedCertificate served : certificates(now)) {
            if (uses.merge(served.bundle(), 1, Integer::sum) == 1
                    && truth.provenance().get(served.bundle()) == null) {
                appeared.put(served.bundle(), served);
            }
            changes.remove(served.bundle()); // it went from one host to another
        }
        for (ServedCertificate served : certificates(before)) {
            Integer left =
                    uses.merge(
                            served.bundle(),
                            -1,
                            (was, by) -> was + by == 0 ? null : Integer.valueOf(was + by));
            if (left == null) {
                appeared.remove(served.bundle());
                changes.put(served.bundle(), null);
            }
        }
    }

    private static List<ServedCertificate> certificates(@Nullable CertificateSet set) {
        return set == null ? List.of() : set.certificates();
    }

    private Provenance provenance(ServedCertificate served, Instant now) {
        String version =
                catalog.standing(served.source())
                        .filter(standing -> serves(standing, served.bundle()))
                        .map(SecretStanding::servedVersion)
                        .orElse("");
        return new Provenance(served.source(), version, now);
    }

    private static boolean serves(SecretStanding standing, CertificateBundle bundle) {
        return standing.served().filter(bundle::equals).isPresent();
    }

    /** The object may have gone on to a version with the same contents. */
    private void noteVersion(
            SecretStanding standing, Map<CertificateBundle, @Nullable Provenance> changes) {
        CertificateBundle bundle = standing.served().orElse(null);
        if (bundle == null || changes.containsKey(bundle)) {
            return;
        }
        Provenance known = truth.provenance().get(bundle);
        if (known != null && !known.resourceVersion().equals(standing.servedVersion())) {
            changes.put(
                    bundle,
                    new Provenance(known.secret(), standing.servedVersion(), known.firstServed()));
        }
    }

    private Optional<Unserved> unserved(
            SecretStanding standing, ObjectRef secret, Set<ObjectRef> refusedNow) {
        boolean kept = standing.served().filter(bundle -> !uses.containsKey(bundle)).isPresent();
        return standing.unserved()
                .or(() ->
                        kept && refusedNow.contains(secret)
                                ? Optional.of(Reason.CERTIFICATE_REFUSED)
                                : Optional.empty())
                .map(reason -> new Unserved(standing.latestVersion(), reason));
    }

    private static Set<ObjectRef> refusedBy(Applied applied) {
        Set<ObjectRef> secrets = new HashSet<>();
        for (Finding finding : applied.findings()) {
            if (finding.reason() == Reason.CERTIFICATE_REFUSED) {
                secrets.add(finding.object());
            }
        }
        return secrets;
    }
}
