package dev.sallyport.acme.store;

import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Things to be stored. */
final class StoredValues {
    static final URI DIRECTORY = URI.create("https://ca.example/dir");
    static final CertificateId ID = new CertificateId("shop.example");
    static final Issuer ISSUER =
            switch (Issuer.parse(
                    ObjectRef.gateway("test"),
                    IssuerDraft.of("ca", DIRECTORY.toString(), List.of(), true))) {
                case Parsed.Usable<Issuer> usable -> usable.value();
                case Parsed.Rejected<Issuer> rejected ->
                        throw new AssertionError(rejected.findings());
            };
    static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private static final KeyMaterial KEY = KeyMaterial.generate(KeyAlgorithm.EC_P256);
    private static final KeyMaterial OTHER = KeyMaterial.generate(KeyAlgorithm.EC_P384);
    private static final TestAuthority AUTHORITY = new TestAuthority();

    private StoredValues() {}

    static StoredAccount account() {
        return new StoredAccount("ca", DIRECTORY, KEY, Optional.empty(), Optional.empty());
    }

    static StoredAccount changing() {
        return account().at(URI.create("https://ca.example/acct/1")).changingTo(OTHER);
    }

    static StoredOrder order() {
        return new StoredOrder(
                ID,
                "ca",
                DIRECTORY,
                CertificateOrder.of(
                        List.of(
                                Identifier.parse("shop.example"),
                                Identifier.parse("*.shop.example"),
                                Identifier.parse("2001:db8::1")),
                        KeyAlgorithm.EC_P256),
                KEY,
                Optional.empty(),
                NOW);
    }

    static StoredCertificate certificate() {
        return new StoredCertificate(
                ID,
                "ca",
                DIRECTORY,
                AUTHORITY.bundle("shop.example"),
                Optional.of(URI.create("https://ca.example/cert/1")),
                NOW);
    }

    /** What a reading gave; an error where it was refused. */
    static <T> Optional<T> read(Parsed<Optional<T>> parsed) {
        return switch (parsed) {
            case Parsed.Usable<Optional<T>> usable -> usable.value();
            case Parsed.Rejected<Optional<T>> rejected ->
                    throw new AssertionError(rejected.findings());
        };
    }
}
