package dev.sallyport.model.certificate;

import dev.sallyport.model.name.HostTable;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which host is served with which certificates.
 *
 * @param hosts by SNI
 * @param fallback for clients that send no name, or one that has no certificate; empty in strict
 *     mode, where such a handshake ends with the alert {@code unrecognized_name}. Never a tenant's
 *     by accident: only configuration sets it
 * @param challenges by server name, normalised: the certificates that answer TLS-ALPN-01 challenges
 *     (RFC 8737), shown to nobody but clients that offer {@code acme-tls/1} and nothing else
 */
public record CertificateTable(
        HostTable<CertificateSet> hosts,
        Optional<CertificateSet> fallback,
        Map<String, CertificateSet> challenges) {
    public CertificateTable {
        challenges = Map.copyOf(challenges);
    }

    /** Without challenges. */
    public CertificateTable(HostTable<CertificateSet> hosts, Optional<CertificateSet> fallback) {
        this(hosts, fallback, Map.of());
    }

    /** Without hosts and without a default. */
    public static final CertificateTable EMPTY =
            new CertificateTable(HostTable.empty(), Optional.empty());

    /**
     * What a client that asks for {@code serverName} is given: exact, then wildcard, then the
     * default; null where the handshake must be refused. Safe from any thread.
     *
     * @param serverName normalised, or null for a client without SNI
     */
    public @Nullable CertificateSet find(@Nullable String serverName) {
        CertificateSet found = serverName == null ? null : hosts.find(serverName);
        return found != null ? found : fallback.orElse(null);
    }
}
