package dev.sallyport.acme.keep;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.order.FailedException;
import dev.sallyport.acme.order.OrderRequest;
import dev.sallyport.acme.order.Outcome;
import dev.sallyport.acme.order.Progress;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.StoredOrder;
import java.security.cert.X509Certificate;
import java.util.Optional;

/** What the keeper has done at CAs. Safe from any thread; all but {@link #requests} may block. */
interface Ordering extends AutoCloseable {

    /** Orders, or goes on with an order. */
    Outcome order(Issuer issuer, OrderRequest request, Progress progress)
            throws InterruptedException;

    /** When the CA would have a certificate renewed; empty where it says nothing. */
    Optional<RenewalWindow> window(Issuer issuer, X509Certificate leaf) throws FailedException;

    /** Has a certificate revoked. */
    void revoke(Issuer issuer, X509Certificate leaf, boolean keyCompromised) throws FailedException;

    /** Changes the key of the account at an issuer; orders there fail meanwhile. */
    void rollOver(Issuer issuer) throws FailedException;

    /**
     * Gives an order up that nobody will go on with: CAs count authorizations that are pending.
     * Whatever comes of it, nothing of ours depends on it.
     */
    void abandon(Issuer issuer, StoredOrder order);

    /** How many requests an issuer was sent. */
    long requests(Issuer issuer);

    @Override
    void close();
}
