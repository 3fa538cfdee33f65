package dev.sallyport.app.takeover;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;
import dev.sallyport.tls.certificate.PemKeyPair;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Puts into a store what another program kept. Each certificate is proven to be of its key; what is
 * there already and newer stays. One that names several hosts is stored for each.
 */
public final class Takeover {
    private static final int MOST_BYTES = 64 * 1024 * 1024;
    private static final Comparator<Hostname> BY_TEXT = Comparator.comparing(Hostname::text);

    private final AcmeStore store;
    private final String issuer;
    private final Optional<URI> directory;
    private final Instant now;
    private final List<Taken> taken = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();

    private Takeover(AcmeStore store, String issuer, Optional<URI> directory, Instant now) {
        this.store = store;
        this.issuer = issuer;
        this.directory = directory;
        this.now = now;
    }

    /** What became of something. */
    public enum What {
        /** It is stored. */
        IMPORTED,
        /** What was there is as new, or newer, and stays. */
        KEPT,
        /** It has expired, and is of no use. */
        EXPIRED
    }

    /**
     * A certificate of a host, or an account.
     *
     * @param what became of it
     * @param entry where it stood
     * @param host empty for an account
     * @param notAfter until when it is valid; empty for an account
     */
    public record Taken(What what, String entry, String host, Optional<Instant> notAfter) {}

    /**
     * All of it.
     *
     * @param taken in the order in which it stood
     * @param findings what could not be used, and why
     */
    public record Result(List<Taken> taken, List<Finding> findings) {
        public Result {
            taken = List.copyOf(taken);
            findings = List.copyOf(findings);
        }
    }

    /**
     * Takes over.
     *
     * @param from Traefik's {@code acme.json}, or certmagic's folder
     * @param issuer the name that the CA has in our configuration
     * @param directory the CA's, where it is not told
     * @return empty where it is neither of the two
     * @throws IOException where it cannot be read, or the store not be written
     */
    public static Optional<Result> of(
            Path from, AcmeStore store, String issuer, Optional<URI> directory, Instant now)
            throws IOException {
        Optional<Foreign> read = read(from);
        if (read.isEmpty()) {
            return Optional.empty();
        }
        Foreign foreign = read.get();
        try {
            var takeover = new Takeover(store, issuer, directory, now);
            takeover.findings.addAll(foreign.findings());
            for (Foreign.Account account : foreign.accounts()) {
                takeover.take(account);
            }
            for (Foreign.Certificate certificate : foreign.certificates()) {
                takeover.take(certificate);
            }
            return Optional.of(new Result(takeover.taken, takeover.findings));
        } finally {
            foreign.wipe();
        }
    }

    private static Optional<Foreign> read(Path from) throws IOException {
        if (Files.isDirectory(from)) {
            return CertmagicFolder.isOne(from)
                    ? Optional.of(CertmagicFolder.read(from))
                    : Optional.empty();
        }
        try (InputStream in = Files.newInputStream(from)) {
            byte[] contents = in.readNBytes(MOST_BYTES + 1);
            try {
                return contents.length > MOST_BYTES ? Optional.empty() : TraefikFile.read(contents);
            } finally {
                Arrays.fill(contents, (byte) 0);
            }
        }
    }

    private void take(Foreign.Account account) throws IOException {
        Optional<URI> at = account.directory().or(() -> directory);
        Optional<KeyMaterial> key = key(account);
        if (at.isEmpty() || key.isEmpty()) {
            findings.add(
                    ForeignJson.unreadable(
                            account.entry(),
                            at.isEmpty()
                                    ? "which CA it is of is not known (expected: --acme-directory)"
                                    : "its key is of no kind that is used (expected: RSA of 2048,"
                                            + " 3072 or 4096 bits, P-256 or P-384)"));
            return;
        }
        switch (store.account(known(at.get()))) {
            case Parsed.Rejected<Optional<StoredAccount>> rejected ->
                    findings.addAll(rejected.findings());
            case Parsed.Usable<Optional<StoredAccount>> usable -> {
                boolean there = usable.value().isPresent();
                if (!there) {
                    store.save(
                            new StoredAccount(
                                    issuer,
                                    at.get(),
                                    key.get(),
                                    Optional.empty(),
                                    Optional.of(account.location())));
                }
                taken.add(
                        new Taken(
                                there ? What.KEPT : What.IMPORTED,
                                account.entry(),
                                "",
                                Optional.empty()));
            }
        }
    }

    private static Optional<KeyMaterial> key(Foreign.Account account) {
        return PemKeyPair.parse(account.key())
                .flatMap(pair ->
                        pair.pkcs8()
                                .use(pkcs8 -> {
                                    try {
                                        return Optional.of(KeyMaterial.of(pkcs8, pair.spki()));
                                    } catch (GeneralSecurityException ofAnotherKind) {
                                        return Optional.empty();
                                    }
                                }));
    }

    /** What the store needs to know of an issuer. */
    private Issuer known(URI at) {
        return new Issuer(
                issuer,
                at,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                KeyAlgorithm.EC_P256,
                List.of(),
                false,
                Set.of());
    }

    private void take(Foreign.Certificate certificate) throws IOException {
        Optional<URI> at = certificate.directory().or(() -> directory);
        if (at.isEmpty()) {
            findings.add(
                    ForeignJson.unreadable(
                            certificate.entry(),
                            "which CA it is of is not known (expected: --acme-directory)"));
            return;
        }
        switch (CertificateParser.parse(
                new ObjectRef("Entry", "", certificate.entry()),
                certificate.chain(),
                certificate.key())) {
            case Parsed.Rejected<CertificateBundle> rejected ->
                    findings.addAll(rejected.findings());
            case Parsed.Usable<CertificateBundle> usable ->
                    store(certificate, usable.value(), at.get());
        }
    }

    private void store(Foreign.Certificate certificate, CertificateBundle bundle, URI at)
            throws IOException {
        for (Hostname host : bundle.names().stream().sorted(BY_TEXT).toList()) {
            taken.add(
                    new Taken(
                            store(certificate, bundle, at, CertificateId.of(host)),
                            certificate.entry(),
                            host.text(),
                            Optional.of(bundle.notAfter())));
        }
    }

    private What store(
            Foreign.Certificate certificate, CertificateBundle bundle, URI at, CertificateId id)
            throws IOException {
        if (!bundle.notAfter().isAfter(now)) {
            return What.EXPIRED;
        }
        return switch (store.certificate(id)) {
            case Parsed.Rejected<Optional<StoredCertificate>> rejected -> {
                findings.addAll(rejected.findings());
                yield What.KEPT;
            }
            case Parsed.Usable<Optional<StoredCertificate>> usable -> {
                if (usable.value()
                        .filter(it -> !it.bundle().notBefore().isBefore(bundle.notBefore()))
                        .isPresent()) {
                    yield What.KEPT;
                }
                store.save(
                        new StoredCertificate(id, issuer, at, bundle, certificate.location(), now));
                yield What.IMPORTED;
            }
        };
    }
}
