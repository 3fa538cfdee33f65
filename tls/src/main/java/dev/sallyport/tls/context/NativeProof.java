package dev.sallyport.tls.context;

import dev.sallyport.model.certificate.KeyProof;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;

/**
 * BoringSSL computes the key's public half, of RSA keys checks that all their numbers belong
 * together, and compares it with the certificate's, which takes a tenth of what a signature by the
 * JDK takes that is verified. What BoringSSL refuses is judged by the JDK: its errors tell more,
 * and it knows keys that BoringSSL does not.
 */
public final class NativeProof implements KeyProof {
    /**
     * Loads the native library where it is not loaded yet.
     *
     * @throws NativeTlsUnavailable with advice, where there is none
     */
    public NativeProof() {
        NativeTls.load();
    }

    @Override
    public boolean holds(X509Certificate leaf, byte[] pkcs8) throws GeneralSecurityException {
        return NativeCredential.accepts(leaf.getEncoded(), pkcs8)
                || KeyProof.BY_SIGNATURE.holds(leaf, pkcs8);
    }
}
