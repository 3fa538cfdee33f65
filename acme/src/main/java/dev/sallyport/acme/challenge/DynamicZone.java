package dev.sallyport.acme.challenge;

import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A DNS zone whose records may be changed by messages (RFC 2136) signed with a shared key (RFC
 * 8945).
 *
 * @param zone its name
 * @param primary who takes the changes; not resolved yet
 * @param secondaries who else answers for the zone, and must know a record before the CA is told
 * @param keyName the key's name
 * @param algorithm the key's algorithm
 * @param key the key, decoded
 */
public record DynamicZone(
        Hostname.Exact zone,
        InetSocketAddress primary,
        List<InetSocketAddress> secondaries,
        String keyName,
        Algorithm algorithm,
        SensitiveBytes key) {
    public DynamicZone {
        secondaries = List.copyOf(secondaries);
    }

    /** The algorithms that sign; the older ones are broken or soon will be. */
    public enum Algorithm {
        /** HMAC with SHA-256. */
        HMAC_SHA256("hmac-sha256"),
        /** HMAC with SHA-384. */
        HMAC_SHA384("hmac-sha384"),
        /** HMAC with SHA-512. */
        HMAC_SHA512("hmac-sha512");

        private final String text;

        Algorithm(String text) {
            this.text = text;
        }

        /** As it is written in configuration. */
        public String text() {
            return text;
        }
    }

    /** Whether a record's name is in the zone. */
    boolean holds(String name) {
        return name.endsWith("." + zone.text());
    }

    /**
     * Checks what somebody wrote.
     *
     * @param origin where it was written
     * @param zone the zone's name
     * @param servers {@code host[:port]}, separated by commas, the primary first
     * @param keyName the key's name
     * @param algorithm for instance {@code hmac-sha256}
     * @param secret the key in base64, as {@code tsig-keygen} prints it
     */
    public static Parsed<DynamicZone> parse(
            ObjectRef origin,
            String zone,
            String servers,
            String keyName,
            String algorithm,
            SensitiveBytes secret) {
        List<Finding> findings = new ArrayList<>();
        @Nullable Hostname name = host(zone, "zone", origin, findings);
        if (name instanceof Hostname.Wildcard) {
            findings.add(wrong(origin, "zone: " + zone + " (expected: a name without '*')"));
        }
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String server : servers.split(",", -1)) {
            address(server.strip())
                    .ifPresentOrElse(
                            addresses::add,
                            () ->
                                    findings.add(
                                            wrong(
                                                    origin,
                                                    "server: "
                                                            + server
                                                            + " (expected: host[:port])")));
        }
        @Nullable Hostname key = host(keyName, "key", origin, findings);
        @Nullable Algorithm known =
                Arrays.stream(Algorithm.values())
                        .filter(each -> each.text().equals(algorithm))
                        .findFirst()
                        .orElse(null);
        if (known == null) {
            findings.add(
                    wrong(
                            origin,
                            "algorithm: "
                                    + algorithm
                                    + " (expected: hmac-sha256, hmac-sha384 or hmac-sha512)"));
        }
        Optional<SensitiveBytes> decoded = decoded(secret);
        if (decoded.isEmpty()) {
            findings.add(wrong(origin, "secret: not base64 of 16 bytes or more"));
        }
        return findings.isEmpty()
                ? Parsed.usable(
                        new DynamicZone(
                                (Hostname.Exact) Objects.requireNonNull(name),
                                addresses.getFirst(),
                                addresses.subList(1, addresses.size()),
                                Objects.requireNonNull(key).text(),
                                Objects.requireNonNull(known),
                                decoded.orElseThrow()))
                : new Parsed.Rejected<>(findings);
    }

    private static @Nullable Hostname host(
            String text, String what, ObjectRef origin, List<Finding> findings) {
        Optional<Hostname> parsed = Hostname.tryParse(text);
        if (parsed.isEmpty()) {
            findings.add(wrong(origin, what + ": " + text + " (expected: a DNS name)"));
        }
        return parsed.orElse(null);
    }

    private static Optional<InetSocketAddress> address(String text) {
        int colon = text.lastIndexOf(':');
        boolean withPort = colon >= 0 && (text.indexOf(':') == colon || text.startsWith("["));
        String host = withPort ? text.substring(0, colon) : text;
        try {
            int port = withPort ? Integer.parseInt(text.substring(colon + 1)) : 53;
            String bare =
                    host.startsWith("[") && host.endsWith("]")
                            ? host.substring(1, host.length() - 1)
                            : host;
            return bare.isEmpty() || port < 1
                    ? Optional.empty()
                    : Optional.of(InetSocketAddress.createUnresolved(bare, port));
        } catch (IllegalArgumentException notAPort) {
            return Optional.empty();
        }
    }

    private static Optional<SensitiveBytes> decoded(SensitiveBytes secret) {
        return secret.use(text -> {
            try {
                byte[] key = Base64.getMimeDecoder().decode(text);
                var held = SensitiveBytes.copyOf(key);
                Arrays.fill(key, (byte) 0);
                return held.length() >= 16 ? Optional.of(held) : Optional.empty();
            } catch (IllegalArgumentException notBase64) {
                return Optional.empty();
            }
        });
    }

    private static Finding wrong(ObjectRef origin, String message) {
        return Finding.of(
                Reason.ISSUER_INVALID,
                origin,
                message,
                "Take what the name server's administrator allows updates with.");
    }
}
