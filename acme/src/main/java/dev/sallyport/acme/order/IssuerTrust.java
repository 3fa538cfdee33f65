package dev.sallyport.acme.order;

import dev.sallyport.acme.issuer.Issuer;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** By whom an issuer's own certificate is judged. */
final class IssuerTrust {
    private IssuerTrust() {}

    /** By the CAs it was configured with, and by no other; empty where the system's count. */
    static Optional<SSLContext> of(Issuer issuer) {
        if (issuer.trustedCa().isEmpty()) {
            return Optional.empty();
        }
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (int i = 0; i < issuer.trustedCa().size(); i++) {
                store.setCertificateEntry("ca" + i, issuer.trustedCa().get(i));
            }
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return Optional.of(context);
        } catch (GeneralSecurityException | IOException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }
}
