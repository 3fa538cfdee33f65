package dev.sallyport.control.cluster;

import io.netty.pkitesting.X509Bundle;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;

/** TLS for test clients. */
final class TrustingTls {
    private TrustingTls() {}

    /** Trusts what {@code authority} issued, and nothing else. */
    static SSLContext context(X509Bundle authority) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, authority.toTrustManagerFactory().getTrustManagers(), null);
        return context;
    }
}
