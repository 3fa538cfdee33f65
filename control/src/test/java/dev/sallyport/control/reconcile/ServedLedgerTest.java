package dev.sallyport.control.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.Placeholders;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.SecretMaterial;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServedLedgerTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final CertificateBundle BUNDLE =
            Placeholders.bundle("ecdsa", "01", List.of("x.example"), "2020-01-01", "2040-01-01");

    private final CertificateCatalog catalog =
            new CertificateCatalog(
                    (_, _, _) -> Parsed.usable(BUNDLE.under(List.of())), // another each time
                    Runnable::run,
                    () -> NOW);
    private final ServedLedger ledger = new ServedLedger(catalog);
    private CertificateTable table = CertificateTable.EMPTY;

    @Test
    void aRotationCostsTheSameAmongManyHosts() {
        int hosts = 50_000;
        Map<Hostname, CertificateSet> sets = new HashMap<>();
        for (int i = 0; i < hosts; i++) {
            sets.put(host(i), rotated(i, "first"));
        }
        table = new CertificateTable(HostTable.copyOf(sets), Optional.empty());
        assertThat(update(NOW).provenance().size()).isEqualTo(hosts);
        int rotations = 500;
        long spent = 0;
        for (int i = 0; i < rotations; i++) {
            table =
                    new CertificateTable(
                            table.hosts().with(Map.of(host(i), rotated(i, "second"))),
                            Optional.empty());
            long began = cpu();
            update(NOW.plusSeconds(i));
            spent += cpu() - began;
        }
        ServedTruth truth = update(NOW);
        assertThat(truth.provenance().size()).isEqualTo(hosts);
        assertThat(truth.unserved().isEmpty()).isTrue();
        // Copying a map of that size takes milliseconds.
        assertThat(Duration.ofNanos(spent / rotations)).isLessThan(Duration.ofMillis(1));
    }

    @Test
    void theDefaultCertificateIsServedToo() {
        CertificateSet set = rotated(1, "default");
        table = new CertificateTable(HostTable.empty(), Optional.of(set));
        CertificateBundle bundle = set.certificates().getFirst().bundle();
        assertThat(update(NOW).provenance().get(bundle))
                .isEqualTo(new ServedTruth.Provenance(secret(1), "", NOW));
        table = CertificateTable.EMPTY;
        assertThat(update(NOW).provenance().isEmpty()).isTrue();
    }

    private ServedTruth update(Instant now) {
        return ledger.update(new Applied(1, table, List.of()), now);
    }

    private CertificateSet rotated(int i, String contents) {
        catalog.put(
                SecretMaterial.of(
                        secret(i),
                        Optional.empty(),
                        (contents + i).getBytes(StandardCharsets.UTF_8),
                        new byte[0]));
        return CertificateSet.of(List.of(catalog.status(secret(i)).inService().orElseThrow()));
    }

    private static Hostname host(int i) {
        return new Hostname.Exact("host-" + i + ".example");
    }

    private static ObjectRef secret(int i) {
        return new ObjectRef("Secret", "default", "secret-" + i);
    }

    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
