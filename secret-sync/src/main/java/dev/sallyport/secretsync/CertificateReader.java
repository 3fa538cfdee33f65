package dev.sallyport.secretsync;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;

/** From PEM to a proven bundle. Safe from several threads at once. */
@FunctionalInterface
public interface CertificateReader {

    /** The parser of the TLS module, with what proves that key and certificate belong together. */
    static CertificateReader provenBy(KeyProof proof) {
        return (origin, certificate, key) ->
                CertificateParser.parse(origin, certificate, key, proof);
    }

    /**
     * Total: whatever the bytes, the answer is a bundle or findings.
     *
     * @param origin the Secret, for findings
     * @param certificate PEM; empty where the Secret lacks it
     * @param key PEM; empty where the Secret lacks it
     */
    Parsed<CertificateBundle> read(ObjectRef origin, byte[] certificate, byte[] key);
}
