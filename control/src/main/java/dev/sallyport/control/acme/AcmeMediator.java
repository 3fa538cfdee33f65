package dev.sallyport.control.acme;

import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.event.News;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ShardedMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Between what is translated and what is kept: tells the keeper what is wanted, and the reconciler
 * what cannot be had, whenever either has changed; and what was done, to whoever tells of it.
 */
final class AcmeMediator implements AutoCloseable {
    /* Concurrency: what was told is confined to the thread `acme-mediator`. */
    private static final Logger log = LoggerFactory.getLogger(AcmeMediator.class);

    private final CertificateKeeper keeper;
    private final Consumer<SourceUpdate> reconciler;
    private final Supplier<ControlState> state;
    private final Consumer<News> teller;
    private final AcmeFindings findings;
    private final AcmeProgress progress = new AcmeProgress();
    private final Issuers issuers;
    private final AcmeRules rules;
    private final Semaphore woken = new Semaphore(0);
    private final Thread thread;
    private @Nullable ShardedMap<Hostname, AcmeHost> hosts;
    private @Nullable CertificateTable served;
    private Map<CertificateId, Finding> refused = Map.of();
    private boolean stored; // whether there is a certificate for the gateway's own addresses

    private AcmeMediator(
            CertificateKeeper keeper,
            Consumer<SourceUpdate> reconciler,
            Supplier<ControlState> state,
            Consumer<News> teller,
            Issuers issuers,
            AcmeRules rules) {
        this.keeper = keeper;
        this.reconciler = reconciler;
        this.state = state;
        this.teller = teller;
        this.issuers = issuers;
        this.rules = rules;
        this.findings = new AcmeFindings(rules.addresses());
        this.thread = Thread.ofPlatform().name("acme-mediator").daemon().unstarted(this::run);
    }

    /**
     * Starts the thread {@code acme-mediator}.
     *
     * @param reconciler is told of findings
     * @param state what is translated now
     * @param teller is told what was done; not to block
     * @param rules as hosts are translated by
     */
    static AcmeMediator start(
            CertificateKeeper keeper,
            Consumer<SourceUpdate> reconciler,
            Supplier<ControlState> state,
            Consumer<News> teller,
            Issuers issuers,
            AcmeRules rules) {
        var mediator = new AcmeMediator(keeper, reconciler, state, teller, issuers, rules);
        mediator.thread.start();
        return mediator;
    }

    /** What is translated, or kept, changed. At once, on whatever thread. */
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
                    ControlState now = state.get();
                    tell(now);
                    KeeperState kept = keeper.state();
                    findings.news(kept, refused, now).ifPresent(reconciler);
                    progress.news(kept, now.acmeHosts()).forEach(teller);
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
        if (now.published() == 0 || now.stale()) {
            return;
        }
        lookForOwn(now);
        if (now.acmeHosts() == hosts && certificates == served) {
            return;
        }
        hosts = now.acmeHosts();
        served = certificates;
        refused = Wishes.refused(hosts, certificates, rules);
        keeper.want(Wishes.of(hosts, certificates, issuers, rules));
        now.acmeHosts()
                .forEach((host, wanted) -> {
                    if (wanted.lost()) {
                        keeper.look(CertificateId.of(host));
                    }
                });
    }

    /** Nobody else sees that somebody deleted it: what was served is served on. */
    private void lookForOwn(ControlState now) {
        boolean before = stored;
        stored =
                rules.defaultCertificate()
                        .filter(secret -> now.resources().get(secret) != null)
                        .isPresent();
        if (before && !stored) {
            keeper.look(CertificateId.ADDRESSES);
        }
    }
}
