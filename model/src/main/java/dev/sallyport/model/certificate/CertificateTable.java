package dev.sallyport.model.certificate;

import dev.sallyport.model.name.HostTable;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which host is served with which certificates.
 *
 * @param hosts by SNI
 * @param fallback for clients that send no name, or one that has no certificate; empty in strict
 *     mode, where such a handshake ends with the alert {@code unrecognized_name}. Never a tenant's
 *     by accident: only configuration sets it
 */
public record CertificateTable(HostTable<CertificateSet> hosts, Optional<CertificateSet> fallback) {

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
