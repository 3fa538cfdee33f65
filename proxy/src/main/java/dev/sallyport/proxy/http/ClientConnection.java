package dev.sallyport.proxy.http;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.listener.Listener;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What is known about the connection that a request came on; the same object for all its requests.
 */
public final class ClientConnection {
    private final Listener listener;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    private final String protocol;
    private final @Nullable Tls tls;
    private final String remoteAddress;

    /**
     * The connection as it is once its protocol is known.
     *
     * @param listener the listener that accepted it
     * @param remote the peer's address
     * @param local the address it connected to
     * @param protocol {@code http/1.1} or {@code h2}
     * @param tls what the handshake agreed on; null without TLS
     */
    public ClientConnection(
            Listener listener,
            InetSocketAddress remote,
            InetSocketAddress local,
            String protocol,
            @Nullable Tls tls) {
        this.listener = listener;
        this.remote = remote;
        this.local = local;
        this.protocol = protocol;
        this.tls = tls;
        this.remoteAddress = textOf(remote);
    }

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

    /** The listener that accepted it. */
    public Listener listener() {
        return listener;
    }

    /** The peer's address. */
    public InetSocketAddress remote() {
        return remote;
    }

    /** The peer's IP address as text, without port, brackets or zone. */
    public String remoteAddress() {
        return remoteAddress;
    }

    /** The address the peer connected to. */
    public InetSocketAddress local() {
        return local;
    }

    /** {@code http/1.1} or {@code h2}. */
    public String protocol() {
        return protocol;
    }

    /** What the handshake agreed on; null without TLS. */
    public @Nullable Tls tls() {
        return tls;
    }

    /** Whether TLS is spoken. */
    public boolean secure() {
        return tls != null;
    }

    /** {@code https} or {@code http}. */
    public String scheme() {
        return tls != null ? "https" : "http";
    }

    @Override
    public String toString() {
        return protocol + " " + remote + " to " + listener.name();
    }

    private static String textOf(InetSocketAddress address) {
        InetAddress ip = address.getAddress();
        if (ip == null) {
            return address.getHostString();
        }
        return NetUtil.toAddressString(
                ip); // RFC 5952; without a zone, which means nothing elsewhere
    }
}
