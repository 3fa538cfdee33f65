package dev.sallyport.control.resource;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.route.Challenge;

/** What answers one ACME challenge. */
public sealed interface AcmeAnswer {

    /**
     * By HTTP-01.
     *
     * @param keyAuthorization the answer, ASCII
     */
    record Http(Challenge challenge, String keyAuthorization) implements AcmeAnswer {}

    /**
     * By TLS-ALPN-01.
     *
     * @param serverName normalised; for an address its reverse name
     */
    record TlsAlpn(String serverName, CertificateBundle certificate) implements AcmeAnswer {}
}
