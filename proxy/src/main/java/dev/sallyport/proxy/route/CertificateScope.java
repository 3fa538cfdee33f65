package dev.sallyport.proxy.route;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.proxy.http.ClientConnection;
import org.jspecify.annotations.Nullable;

/**
 * Which hosts may be asked for on a TLS connection. Clients reuse a connection for every host that
 * its certificate covers (RFC 9113 section 9.1.1); RFC 9110 section 15.5.20: 421 "indicates that
 * the request was directed at a server that is unable or unwilling to produce an authoritative
 * response for the target URI".
 */
public final class CertificateScope {
    private CertificateScope() {}

    /**
     * Whether {@code host} is served by what the client was shown: the name it asked for, a host
     * that is given the same certificates, the same default for both, or a name of the certificate.
     *
     * @param tls null on plain connections, where nothing was shown and nothing can be misdirected
     * @param table the certificates of the snapshot that the request is routed by
     * @param host normalised; empty where the request names none
     */
    public static boolean covers(
            ClientConnection.@Nullable Tls tls, CertificateTable table, String host) {
        if (tls == null || host.isEmpty() || host.equals(tls.serverName())) {
            return true;
        }
        CertificateSet own = table.hosts().find(host);
        return (own == null && tls.fallback())
                || own == tls.certificates()
                || (!tls.fallback() && tls.certificates().covers(host));
    }
}
