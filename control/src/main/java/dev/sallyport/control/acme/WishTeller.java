package dev.sallyport.control.acme;

import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ShardedMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the keeper what is wanted, whenever what is translated has changed. */
final class WishTeller implements AutoCloseable {
    /* Concurrency: what was told is confined to the thread `acme-wishes`. */
    private static final Logger log = LoggerFactory.getLogger(WishTeller.class);

    private final CertificateKeeper keeper;
    private final Supplier<ControlState> state;
    private final Issuers issuers;
    private final String namespace;
    private final Semaphore woken = new Semaphore(0);
    private final Thread thread;
    private @Nullable ShardedMap<Hostname, AcmeHost> hosts;
    private @Nullable CertificateTable served;

    private WishTeller(
            CertificateKeeper keeper,
            Supplier<ControlState> state,
            Issuers issuers,
            String namespace) {
        this.keeper = keeper;
        this.state = state;
        this.issuers = issuers;
        this.namespace = namespace;
        this.thread = Thread.ofPlatform().name("acme-wishes").daemon().unstarted(this::run);
    }

    /**
     * Starts the thread {@code acme-wishes}.
     *
     * @param namespace of the Secrets with what the gateway has issued
     */
    static WishTeller start(
            CertificateKeeper keeper,
            Supplier<ControlState> state,
            Issuers issuers,
            String namespace) {
        var teller = new WishTeller(keeper, state, issuers, namespace);
        teller.thread.start();
        return teller;
    }

    /** What is translated changed. At once, on whatever thread. */
    void wake() {
        woken.release();
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                try {
                    tell(state.get());
                } catch (RuntimeException bug) {
                    log.error("A bug: hosts keep the certificates they have", bug);
                }
                woken.acquire();
                woken.drainPermits();
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    /** Not while what is served is as it once was: nobody knows what is wanted now. */
    @SuppressWarnings("ReferenceEquality") // what did not change is the same object
    private void tell(ControlState now) {
        CertificateTable certificates = now.snapshot().certificates();
        if (now.published() == 0
                || now.stale()
                || (now.acmeHosts() == hosts && certificates == served)) {
            return;
        }
        hosts = now.acmeHosts();
        served = certificates;
        keeper.want(Wishes.of(now.acmeHosts(), certificates, issuers, namespace));
    }
}
