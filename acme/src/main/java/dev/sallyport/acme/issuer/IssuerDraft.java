package dev.sallyport.acme.issuer;

import dev.sallyport.model.certificate.SensitiveBytes;
import java.util.List;
import java.util.Optional;

/**
 * An issuer as somebody wrote it, before anything was checked.
 *
 * @param name what Ingresses call it
 * @param directory an HTTPS URL, or a {@link KnownDirectory}'s word
 * @param contacts mail addresses
 * @param termsAgreed whether its author agrees to the CA's terms
 * @param externalKeyId the external account, with {@code externalMac}
 * @param externalMac its key in base64url, as CAs print it
 * @param profile the certificate profile to ask for
 * @param preferredChain the common name of the issuer at the top of the chain to be served
 * @param key a {@link dev.sallyport.acme.plan.KeyAlgorithm}'s text
 * @param trustedCa PEM of the CAs that the directory's own certificate is judged by, in the
 *     system's place
 * @param privateAddresses whether the CA may have a private or loopback address
 * @param origins {@code https://host[:port]} that the directory may point to besides its own
 */
public record IssuerDraft(
        String name,
        String directory,
        List<String> contacts,
        boolean termsAgreed,
        Optional<String> externalKeyId,
        Optional<SensitiveBytes> externalMac,
        Optional<String> profile,
        Optional<String> preferredChain,
        Optional<String> key,
        Optional<byte[]> trustedCa,
        boolean privateAddresses,
        List<String> origins) {
    public IssuerDraft {
        contacts = List.copyOf(contacts);
        origins = List.copyOf(origins);
    }

    /** One with nothing but what is always needed. */
    public static IssuerDraft of(
            String name, String directory, List<String> contacts, boolean termsAgreed) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                List.of());
    }

    /** With an external account. */
    public IssuerDraft withExternalAccount(String keyId, SensitiveBytes mac) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                Optional.of(keyId),
                Optional.of(mac),
                profile,
                preferredChain,
                key,
                trustedCa,
                privateAddresses,
                origins);
    }

    /** With a profile. */
    public IssuerDraft withProfile(String asked) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                externalKeyId,
                externalMac,
                Optional.of(asked),
                preferredChain,
                key,
                trustedCa,
                privateAddresses,
                origins);
    }

    /** With a chain that is preferred. */
    public IssuerDraft withPreferredChain(String commonName) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                externalKeyId,
                externalMac,
                profile,
                Optional.of(commonName),
                key,
                trustedCa,
                privateAddresses,
                origins);
    }

    /** With keys of another kind. */
    public IssuerDraft withKey(String text) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                externalKeyId,
                externalMac,
                profile,
                preferredChain,
                Optional.of(text),
                trustedCa,
                privateAddresses,
                origins);
    }

    /** With a CA of one's own, at whatever address. */
    public IssuerDraft ofOwn(byte[] caPem) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                externalKeyId,
                externalMac,
                profile,
                preferredChain,
                key,
                Optional.of(caPem.clone()),
                true,
                origins);
    }

    /** With origins besides the directory's own. */
    public IssuerDraft withOrigins(List<String> others) {
        return new IssuerDraft(
                name,
                directory,
                contacts,
                termsAgreed,
                externalKeyId,
                externalMac,
                profile,
                preferredChain,
                key,
                trustedCa,
                privateAddresses,
                others);
    }
}
