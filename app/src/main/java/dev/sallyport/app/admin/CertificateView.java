package dev.sallyport.app.admin;

import dev.sallyport.control.reconcile.ServedTruth;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.name.Hostname;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A certificate as it is served for one host: a row of {@code sallyport certs}.
 *
 * @param host the SNI name, with wildcard; {@code *} for the default certificate
 * @param serial lower-case hexadecimal
 * @param names what the certificate covers
 * @param issuer RFC 2253
 * @param subject RFC 2253
 * @param keyType {@code ECDSA}, {@code RSA} or {@code ED25519}
 * @param fingerprint SHA-256 of the leaf, lower-case hexadecimal
 * @param notBefore from when it is valid
 * @param notAfter until when it is valid
 * @param source the Secret it came from
 * @param resourceVersion the Secret's newest that has these contents; empty where no API server
 *     holds it
 * @param since when it was loaded
 * @param firstServed when the data plane had put it in service; null for the moment until that is
 *     known
 * @param unserved why the Secret's contents by now are not these, for instance {@code KeyMismatch};
 *     empty where they are
 * @param temporary whether it only stands in for the real one
 * @param fallback whether it is the default certificate
 */
public record CertificateView(
        String host,
        String serial,
        List<String> names,
        String issuer,
        String subject,
        String keyType,
        String fingerprint,
        Instant notBefore,
        Instant notAfter,
        String source,
        String resourceVersion,
        Instant since,
        @Nullable Instant firstServed,
        String unserved,
        boolean temporary,
        boolean fallback) {

    public CertificateView {
        Objects.requireNonNull(host);
        Objects.requireNonNull(serial);
        names = List.copyOf(names);
        Objects.requireNonNull(issuer);
        Objects.requireNonNull(notAfter);
        Objects.requireNonNull(source);
        Objects.requireNonNull(resourceVersion);
        Objects.requireNonNull(since);
        Objects.requireNonNull(unserved);
    }

    private static final Comparator<CertificateView> ORDER =
            Comparator.comparing(CertificateView::fallback)
                    .thenComparing(CertificateView::host)
                    .thenComparing(CertificateView::keyType);

    /**
     * All rows of a table, by host; the default certificate last.
     *
     * @param truth how it stands to the Secrets
     */
    public static List<CertificateView> of(CertificateTable table, ServedTruth truth) {
        List<CertificateView> rows = new ArrayList<>();
        table.hosts().forEach((name, set) -> add(rows, name.text(), set, truth, false));
        table.fallback().ifPresent(set -> add(rows, "*", set, truth, true));
        rows.sort(ORDER);
        return rows;
    }

    private static void add(
            List<CertificateView> rows,
            String host,
            CertificateSet set,
            ServedTruth truth,
            boolean fallback) {
        for (ServedCertificate served : set.certificates()) {
            CertificateBundle bundle = served.bundle();
            ServedTruth.Provenance provenance = truth.provenance().get(bundle);
            ServedTruth.Unserved unserved = truth.unserved().get(served.source());
            rows.add(
                    new CertificateView(
                            host,
                            bundle.serial(),
                            bundle.names().stream().map(Hostname::text).toList(),
                            bundle.issuer(),
                            bundle.subject(),
                            bundle.keyType().name(),
                            bundle.fingerprint(),
                            bundle.notBefore(),
                            bundle.notAfter(),
                            served.source().toString(),
                            provenance == null ? "" : provenance.resourceVersion(),
                            served.since(),
                            provenance == null ? null : provenance.firstServed(),
                            unserved == null ? "" : unserved.reason().camelCase(),
                            served.temporary(),
                            fallback));
        }
    }
}
