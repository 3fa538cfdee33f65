package dev.sallyport.secretsync;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a Secret holds of a certificate: its PEM until it is parsed or wiped, afterwards what it
 * came to, and a digest by which the next version is told from this one.
 *
 * <p>Not thread-safe: whoever reads the Secret hands it on and forgets it. A source may hand the
 * same one on again later, when the object that hid it is gone.
 */
public final class SecretMaterial {
    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String PENDING_KEY_LABEL = "cert-manager.io/next-private-key";

    private final ObjectRef secret;
    private final Optional<Location> location;
    private final ObjectVersion version;
    private final String digest;
    private @Nullable Pem pem; // null: parsed, or wiped
    private @Nullable Parsed<CertificateBundle> parsed;

    private SecretMaterial(
            ObjectRef secret, Optional<Location> location, ObjectVersion version, Pem pem) {
        this.secret = secret;
        this.location = location;
        this.version = version;
        this.pem = pem;
        this.digest = pem.digest();
    }

    private SecretMaterial(
            ObjectRef secret,
            ObjectVersion version,
            String digest,
            Parsed<CertificateBundle> parsed) {
        this.secret = secret;
        this.location = Optional.empty();
        this.version = version;
        this.digest = digest;
        this.parsed = parsed;
    }

    /**
     * The PEM texts of a Secret.
     *
     * @param certificate empty where the Secret lacks it
     * @param key empty where the Secret lacks it; whoever parses it wipes it
     */
    @SuppressWarnings("ArrayRecordComponent") // short-lived, never compared, and wiped after use
    public record Pem(byte[] certificate, byte[] key) {

        /** Says nothing of the contents. */
        @Override
        public String toString() {
            return "Pem[" + certificate.length + " bytes, key]";
        }

        private String digest() {
            try {
                MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
                sha256.update(ByteBuffer.allocate(4).putInt(certificate.length).flip());
                sha256.update(certificate);
                sha256.update(key);
                return HexFormat.of().formatHex(sha256.digest());
            } catch (NoSuchAlgorithmException everyJdkHasIt) {
                throw new IllegalStateException(everyJdkHasIt);
            }
        }
    }

    /**
     * Whether a Secret can matter to a gateway: not the key that cert-manager keeps for itself
     * while a certificate is being issued.
     */
    public static boolean matters(Secret secret) {
        Map<String, String> labels =
                secret.getMetadata() == null ? null : secret.getMetadata().getLabels();
        return labels == null || !"true".equals(labels.get(PENDING_KEY_LABEL));
    }

    /**
     * Takes {@code tls.crt} and {@code tls.key} out of a Secret of whatever type; {@code
     * stringData} wins over {@code data}, as in an API server.
     *
     * @param location where the Secret stands, if it came from a file
     */
    public static Parsed<SecretMaterial> of(
            ObjectRef ref, Optional<Location> location, Secret secret) {
        byte[] certificate = decode(secret, CERTIFICATE);
        byte[] key = decode(secret, KEY);
        if (certificate == null || key == null) {
            Finding why =
                    Finding.of(
                            Reason.OBJECT_INVALID,
                            ref,
                            "data."
                                    + (certificate == null ? CERTIFICATE : KEY)
                                    + ": not base64 (expected: base64, or plain PEM under stringData)",
                            "Encode the value with base64, or move it to stringData.");
            return Parsed.rejected(location.map(why::at).orElse(why));
        }
        ObjectVersion version = location.isPresent() ? ObjectVersion.NONE : versionOf(secret);
        return Parsed.usable(new SecretMaterial(ref, location, version, new Pem(certificate, key)));
    }

    /** Material from its parts, of no API server. */
    public static SecretMaterial of(
            ObjectRef ref, Optional<Location> location, byte[] certificate, byte[] key) {
        return new SecretMaterial(ref, location, ObjectVersion.NONE, new Pem(certificate, key));
    }

    private static ObjectVersion versionOf(Secret secret) {
        ObjectMeta metadata = secret.getMetadata();
        return metadata == null
                ? ObjectVersion.NONE
                : new ObjectVersion(
                        Objects.requireNonNullElse(metadata.getUid(), ""),
                        Objects.requireNonNullElse(metadata.getResourceVersion(), ""));
    }

    /**
     * What a Secret came to before, where its PEM is not at hand.
     *
     * @param digest of its contents then
     */
    public static SecretMaterial of(
            ObjectRef ref, ObjectVersion version, String digest, CertificateBundle bundle) {
        return new SecretMaterial(ref, version, digest, Parsed.usable(bundle));
    }

    /** The Secret. */
    public ObjectRef secret() {
        return secret;
    }

    /** Where it stands, if it came from a file. */
    public Optional<Location> location() {
        return location;
    }

    /** Which Secret of the API server, in which version: not the contents' but the object's. */
    public ObjectVersion version() {
        return version;
    }

    /** The SHA-256 of the contents: equal digests, equal certificates. */
    public String digest() {
        return digest;
    }

    /**
     * What the PEM comes to; parsed at the first call, which wipes and forgets the PEM, and the
     * same object afterwards.
     */
    Parsed<CertificateBundle> parsed(CertificateReader reader) {
        Pem unread = pem;
        if (unread != null) {
            parsed = reader.read(secret, unread.certificate(), unread.key());
            forget(unread);
        }
        return Objects.requireNonNull(parsed, "wiped");
    }

    /** Takes over what equal contents came to before. */
    void resolve(Parsed<CertificateBundle> known) {
        if (pem != null) {
            parsed = known;
            forget(pem);
        }
    }

    /**
     * Forgets the PEM, where it was not parsed: nobody wants to know what it comes to. The material
     * is of no use to a catalog afterwards.
     */
    public void wipe() {
        if (pem != null) {
            forget(pem);
        }
    }

    /** Whether the PEM, with the key, is still held. */
    public boolean holdsPem() {
        return pem != null;
    }

    private void forget(Pem unwanted) {
        Arrays.fill(unwanted.key(), (byte) 0);
        pem = null;
    }

    /** By Secret, contents and place; whether the PEM was parsed does not count. */
    @Override
    public boolean equals(Object other) {
        return other instanceof SecretMaterial that
                && secret.equals(that.secret)
                && digest.equals(that.digest)
                && location.equals(that.location);
    }

    @Override
    public int hashCode() {
        return Objects.hash(secret, digest);
    }

    @Override
    public String toString() {
        return "SecretMaterial[" + secret + ", " + digest + "]";
    }

    /** The bytes under a key, empty where there are none, null where they are not base64. */
    private static byte @Nullable [] decode(Secret secret, String name) {
        String plain = secret.getStringData() == null ? null : secret.getStringData().get(name);
        if (plain != null) {
            return plain.getBytes(StandardCharsets.UTF_8);
        }
        String encoded = secret.getData() == null ? null : secret.getData().get(name);
        if (encoded == null) {
            return new byte[0];
        }
        // Go's decoder, which an API server uses, skips line ends; folded YAML leaves spaces too.
        byte[] compact = withoutWhiteSpace(encoded);
        try {
            return Base64.getDecoder().decode(compact);
        } catch (IllegalArgumentException notBase64) {
            return null;
        } finally {
            Arrays.fill(compact, (byte) 0);
        }
    }

    private static byte[] withoutWhiteSpace(String text) {
        byte[] bytes = new byte[text.length()];
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
                bytes[length++] = c < 0x80 ? (byte) c : (byte) '!'; // '!' is in no base64
            }
        }
        return Arrays.copyOf(bytes, length);
    }
}
