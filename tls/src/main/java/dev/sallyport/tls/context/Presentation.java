package dev.sallyport.tls.context;

import dev.sallyport.model.certificate.CertificateSet;
import org.jspecify.annotations.Nullable;

/**
 * What one handshake is to present: decided once, from one reading of the certificate table, so
 * that what BoringSSL presents is what the connection is later said to have.
 *
 * @param serverName the name as it stands in the ClientHello; null where there is none. BoringSSL
 *     must read the same one
 * @param certificates the credentials to choose among
 */
public record Presentation(@Nullable String serverName, CertificateSet certificates) {}
