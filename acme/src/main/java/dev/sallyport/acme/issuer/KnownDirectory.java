package dev.sallyport.acme.issuer;

import java.net.URI;
import java.util.Optional;

/** CAs that may be named by a word in place of their directory's URL. */
public enum KnownDirectory {
    /** Let's Encrypt. */
    LETS_ENCRYPT("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", false),
    /** Let's Encrypt's rehearsal: no browser trusts it, and its limits are wide. */
    LETS_ENCRYPT_STAGING(
            "letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory", false),
    /** ZeroSSL. */
    ZERO_SSL("zerossl", "https://acme.zerossl.com/v2/DV90", true),
    /** Google Trust Services. */
    GOOGLE("google", "https://dv.acme-v02.api.pki.goog/directory", true),
    /** Google Trust Services' rehearsal. */
    GOOGLE_STAGING("google-staging", "https://dv.acme-v02.test-api.pki.goog/directory", true);

    private final String word;
    private final URI url;
    private final boolean externalAccount;

    KnownDirectory(String word, String url, boolean externalAccount) {
        this.word = word;
        this.url = URI.create(url);
        this.externalAccount = externalAccount;
    }

    /** As it is written in configuration. */
    public String word() {
        return word;
    }

    /** The directory. */
    public URI url() {
        return url;
    }

    /** Whether accounts need an external account's key. */
    public boolean needsExternalAccount() {
        return externalAccount;
    }

    /** The CA of a word. */
    public static Optional<KnownDirectory> ofWord(String word) {
        for (KnownDirectory known : values()) {
            if (known.word.equals(word)) {
                return Optional.of(known);
            }
        }
        return Optional.empty();
    }

    /** The CA of a directory. */
    public static Optional<KnownDirectory> ofUrl(URI url) {
        for (KnownDirectory known : values()) {
            if (known.url.equals(url)) {
                return Optional.of(known);
            }
        }
        return Optional.empty();
    }
}
