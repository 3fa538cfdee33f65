package dev.sallyport.acme.order;

import dev.sallyport.acme.issuer.Issuer;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** By whom an issuer's own certificate is judged. */
final class IssuerTrust {
    private IssuerTrust() {}

    /** The roots that clients may know: the system's, and those that it was configured with. */
    static Collection<X509Certificate> roots(Issuer issuer) {
        List<X509Certificate> roots = new ArrayList<>(issuer.trustedCa());
        roots.addAll(systemRoots()); // asked for a leaf that comes alone, so hardly ever
        return roots;
    }

    private static List<X509Certificate> systemRoots() {
        try {
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            return Stream.of(factory.getTrustManagers())
                    .filter(X509TrustManager.class::isInstance)
                    .flatMap(it -> Stream.of(((X509TrustManager) it).getAcceptedIssuers()))
                    .toList();
        } catch (GeneralSecurityException unreadable) {
            return List.of();
        }
    }

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
