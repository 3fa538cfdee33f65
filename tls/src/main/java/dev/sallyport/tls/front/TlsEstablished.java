package dev.sallyport.tls.front;

import dev.sallyport.model.certificate.CertificateSet;
import org.jspecify.annotations.Nullable;

/**
 * The user event that goes down the pipeline once a handshake is complete, before any byte of
 * application data.
 *
 * @param serverName the name the client asked for, normalised; null where it sent none, or an IP
 *     address
 * @param certificates the set that the presented certificate was chosen from: the connection's
 *     certificate scope. On a resumed handshake the set the name stands for now
 * @param fallback whether that set is the table's default
 * @param applicationProtocol what ALPN agreed on; empty if nothing
 * @param version for instance {@code TLSv1.3}
 * @param cipher the cipher suite
 * @param resumed whether a session was resumed
 */
public record TlsEstablished(
        @Nullable String serverName,
        CertificateSet certificates,
        boolean fallback,
        String applicationProtocol,
        String version,
        String cipher,
        boolean resumed) {}
