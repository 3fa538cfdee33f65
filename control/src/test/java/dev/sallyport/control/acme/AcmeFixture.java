package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.control.Placeholders;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Issuers that nobody can reach, and what they are said to have issued. */
final class AcmeFixture {
    static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    static final URI DIRECTORY = URI.create("https://ca.invalid/dir");

    private AcmeFixture() {}

    /** Two: {@code first} with EC keys, {@code second} with RSA. */
    static Issuers issuers() {
        return switch (Issuers.parse(
                ObjectRef.gateway("test"),
                List.of(
                        IssuerDraft.of("first", DIRECTORY.toString(), List.of(), true),
                        IssuerDraft.of("second", "https://other.invalid/dir", List.of(), true)
                                .withKey("rsa-2048")))) {
            case Parsed.Usable<Issuers> usable -> usable.value();
            case Parsed.Rejected<Issuers> rejected -> throw new AssertionError(rejected.findings());
        };
    }

    static AcmeSettings settings(Path state) {
        return new AcmeSettings(
                issuers(),
                true,
                AllowList.EVERYTHING,
                Set.of(ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01),
                Optional.empty(),
                Optional.empty(),
                Optional.of(state),
                5);
    }

    static StoredCertificate issued(String host, String serial) {
        return new StoredCertificate(
                new CertificateId(host),
                "first",
                DIRECTORY,
                Placeholders.bundle("ecdsa", serial, List.of(host), "2026-05-01", "2026-08-01"),
                Optional.empty(),
                NOW);
    }
}
