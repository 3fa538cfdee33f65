package dev.sallyport.acme.issuer;

import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A CA that certificates may be ordered from, and how. Only {@link #parse} makes one from what
 * people wrote.
 *
 * @param name 1–63 lower-case letters, digits and '-': also the name of its folder
 * @param directory HTTPS
 * @param contacts mail addresses; may be empty
 * @param externalAccount what to bind the account to
 * @param profile the certificate profile to ask for
 * @param preferredChain the common name of the issuer at the top of the chain to be served
 * @param key the default kind of key
 * @param trustedCa whom the directory's own certificate may be of; the system's CAs where empty
 * @param privateAddresses whether the CA may have a private or loopback address
 * @param origins where its URLs may point: the directory's own origin, and what was allowed besides
 */
public record Issuer(
        String name,
        URI directory,
        List<String> contacts,
        Optional<ExternalAccount> externalAccount,
        Optional<String> profile,
        Optional<String> preferredChain,
        KeyAlgorithm key,
        List<X509Certificate> trustedCa,
        boolean privateAddresses,
        Set<Origin> origins) {
    private static final int FINGERPRINT = 8; // bytes

    public Issuer {
        contacts = List.copyOf(contacts);
        trustedCa = List.copyOf(trustedCa);
        Set<Origin> all = new LinkedHashSet<>();
        all.add(
                Origin.of(directory)
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "directory: " + directory + " (expected: an HTTPS URL)")));
        all.addAll(origins);
        origins = Set.copyOf(all);
    }

    /**
     * Checks what somebody wrote. All that is wrong is found at once.
     *
     * @param origin where it was written
     */
    public static Parsed<Issuer> parse(ObjectRef origin, IssuerDraft draft) {
        return new IssuerParser(origin).parse(draft);
    }

    /**
     * Tells what is configured now from what was before: the same only where all is the same.
     * Short, and says nothing of the external account's key.
     */
    public String fingerprint() {
        byte[] rest =
                String.join(
                                "\n",
                                directory.toString(),
                                contacts.toString(),
                                profile.toString(),
                                preferredChain.toString(),
                                key.text(),
                                String.valueOf(privateAddresses),
                                origins.stream().map(Origin::toString).sorted().toList().toString(),
                                trustedCa.stream().map(Issuer::fingerprint).toList().toString())
                        .getBytes(StandardCharsets.UTF_8);
        return externalAccount
                .map(account -> {
                    byte[] keyId = account.keyId().getBytes(StandardCharsets.UTF_8);
                    return account.macKey()
                            .use(mac -> Fingerprint.of(FINGERPRINT, keyId, mac, rest));
                })
                .orElseGet(() -> Fingerprint.of(FINGERPRINT, rest));
    }

    private static String fingerprint(X509Certificate certificate) {
        try {
            return Fingerprint.of(FINGERPRINT, certificate.getEncoded());
        } catch (CertificateEncodingException notOurs) {
            throw new IllegalArgumentException(notOurs);
        }
    }

    /** Whether a URL that the CA named may be asked. */
    public boolean allows(URI url) {
        return Origin.of(url).filter(origins::contains).isPresent();
    }
}
