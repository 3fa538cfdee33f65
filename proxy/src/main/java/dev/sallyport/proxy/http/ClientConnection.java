package dev.sallyport.proxy.http;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.listener.Listener;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What is known about the connection that a request came on; the same object for all its requests.
 *
 * @param listener the listener that accepted it
 * @param remote the peer's address
 * @param local the address it connected to
 * @param protocol {@code http/1.1} or {@code h2}
 * @param tls what the handshake agreed on; null without TLS
 */
public record ClientConnection(
        Listener listener,
        InetSocketAddress remote,
        InetSocketAddress local,
        String protocol,
        @Nullable Tls tls) {

    /**
     * The outcome of a TLS handshake.
     *
     * @param serverName the SNI name, normalised; null where the client sent none
     * @param certificates the set that the certificate was chosen from: the connection's
     *     certificate scope
     * @param fallback whether that set is the default one
     * @param version for instance {@code TLSv1.3}
     * @param cipher the cipher suite
     */
    public record Tls(
            @Nullable String serverName,
            CertificateSet certificates,
            boolean fallback,
            String version,
            String cipher) {}

    /** Whether TLS is spoken. */
    public boolean secure() {
        return tls != null;
    }
}
