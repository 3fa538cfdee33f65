package dev.sallyport.acme.keep;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.order.CertificateAuthority;
import dev.sallyport.acme.order.FailedException;
import dev.sallyport.acme.order.OrderRequest;
import dev.sallyport.acme.order.OrderRunner;
import dev.sallyport.acme.order.OrderTimes;
import dev.sallyport.acme.order.Outcome;
import dev.sallyport.acme.order.Pause;
import dev.sallyport.acme.order.Progress;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.StoredOrder;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Orders at real CAs, each with connections of its own. */
final class OrderingAtCas implements Ordering {
    private final Map<String, CertificateAuthority> authorities = new LinkedHashMap<>();
    private final OrderRunner runner;

    OrderingAtCas(
            Issuers issuers,
            AcmeStore store,
            ChallengeBoard board,
            InstantSource clock,
            OrderTimes times) {
        issuers.ordered()
                .forEach(issuer ->
                        authorities.put(
                                issuer.name(), CertificateAuthority.of(issuer, store, clock)));
        runner = new OrderRunner(store, board, clock, Pause.PARKED, times);
    }

    @Override
    public Outcome order(Issuer issuer, OrderRequest request, Progress progress)
            throws InterruptedException {
        return runner.run(authority(issuer), request, progress);
    }

    @Override
    public Optional<RenewalWindow> window(Issuer issuer, X509Certificate leaf)
            throws FailedException {
        return authority(issuer).window(leaf);
    }

    @Override
    public void revoke(Issuer issuer, X509Certificate leaf, boolean keyCompromised)
            throws FailedException {
        authority(issuer).revoke(leaf, keyCompromised);
    }

    @Override
    public void rollOver(Issuer issuer) throws FailedException {
        authority(issuer).changeAccountKey();
    }

    @Override
    public void abandon(Issuer issuer, StoredOrder order) {
        runner.abandon(authority(issuer), order);
    }

    @Override
    public long requests(Issuer issuer) {
        return authority(issuer).requests();
    }

    @Override
    public void close() {
        authorities.values().forEach(CertificateAuthority::close);
    }

    private CertificateAuthority authority(Issuer issuer) {
        return Objects.requireNonNull(authorities.get(issuer.name()));
    }
}
