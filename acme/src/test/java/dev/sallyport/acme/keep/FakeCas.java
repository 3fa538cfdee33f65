package dev.sallyport.acme.keep;

import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.order.FailedException;
import dev.sallyport.acme.order.OrderRequest;
import dev.sallyport.acme.order.Outcome;
import dev.sallyport.acme.order.Progress;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.certificate.CertificateBundle;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** CAs that answer as a test has it, in no time unless they are held. */
final class FakeCas implements Ordering {
    /** What was asked of which. */
    record Asked(String issuer, OrderRequest request) {
        String id() {
            return request.id().text();
        }
    }

    final List<Asked> orders = new CopyOnWriteArrayList<>();
    final List<String> interrupted = new CopyOnWriteArrayList<>();
    final List<X509Certificate> windowsAsked = new CopyOnWriteArrayList<>();
    final List<X509Certificate> revoked = new CopyOnWriteArrayList<>();
    final AtomicInteger mostAtOnce = new AtomicInteger();
    volatile Optional<RenewalWindow> window = Optional.empty();
    volatile boolean windowFails;
    volatile boolean revocationFails;
    volatile boolean rollOverFails;
    volatile boolean rollOverHeld;
    volatile boolean hasBug;
    volatile boolean abandonHeld;
    final Semaphore abandons = new Semaphore(0);
    final List<String> abandoned = new CopyOnWriteArrayList<>();
    final List<String> notAbandoned = new CopyOnWriteArrayList<>();
    final List<String> rolledOver = new CopyOnWriteArrayList<>();
    final Semaphore rollOvers = new Semaphore(0);
    volatile boolean closed;
    volatile Duration lifetime = Duration.ofDays(90);
    private final AtomicInteger atOnce = new AtomicInteger();
    private final Map<String, Deque<Cause>> failures = new ConcurrentHashMap<>();
    private final TestAuthority authority = new TestAuthority();
    private final AcmeStore store;
    private final InstantSource clock;
    private volatile Optional<Semaphore> held = Optional.empty();
    private volatile boolean deaf;

    FakeCas(AcmeStore store, InstantSource clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Orders do not end before they are let go. */
    void hold() {
        held = Optional.of(new Semaphore(0));
    }

    /** So many of those that are held, or to be held, go on. */
    void letGo(int count) {
        held.orElseThrow().release(count);
    }

    /** Interrupts are not heard. */
    void beDeaf() {
        deaf = true;
    }

    /** All go on with what was ordered before. */
    volatile boolean resumes;

    /** What fails does so before the CA has an order. */
    volatile boolean failsEarly;

    /** The next order at an issuer comes to nothing. */
    void fail(String issuer, Cause... causes) {
        failures.computeIfAbsent(issuer, _ -> new ConcurrentLinkedDeque<>())
                .addAll(List.of(causes));
    }

    @Override
    public Outcome order(Issuer issuer, OrderRequest request, Progress progress)
            throws InterruptedException {
        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
        try {
            orders.add(new Asked(issuer.name(), request));
            if (!resumes) {
                progress.reached(Station.KEY_STORED);
            }
            if (failsEarly && !failing(issuer).isEmpty()) {
                return new Outcome.Failed(failing(issuer).remove());
            }
            progress.reached(Station.ORDERED);
            hold(request.id());
            if (hasBug) {
                throw new IllegalStateException("nobody thought of that");
            }
            Cause failure = failing(issuer).poll();
            if (failure != null) {
                return new Outcome.Failed(failure);
            }
            StoredCertificate issued =
                    certificate(request.id(), request.order(), issuer, clock.instant());
            store.save(issued);
            return new Outcome.Issued(issued);
        } catch (IOException full) {
            return new Outcome.Failed(new Cause.NotStored(String.valueOf(full.getMessage())));
        } finally {
            atOnce.decrementAndGet();
        }
    }

    private Deque<Cause> failing(Issuer issuer) {
        return failures.computeIfAbsent(issuer.name(), _ -> new ConcurrentLinkedDeque<>());
    }

    private void hold(CertificateId id) throws InterruptedException {
        Optional<Semaphore> gate = held;
        if (gate.isEmpty()) {
            return;
        }
        if (deaf) {
            gate.get().acquireUninterruptibly();
            return;
        }
        try {
            gate.get().acquire();
        } catch (InterruptedException ended) {
            interrupted.add(id.text());
            throw ended;
        }
    }

    /** A certificate as an issuer would give it, valid from an instant on. */
    synchronized StoredCertificate certificate(
            CertificateId id, CertificateOrder order, Issuer issuer, Instant from) {
        KeyMaterial key = KeyMaterial.generate(order.key());
        X509Certificate leaf =
                authority.issue(
                        key.keyPair().getPublic(),
                        from,
                        lifetime,
                        order.identifiers().stream().map(Identifier::text).toArray(String[]::new));
        return key.pkcs8()
                .use(pkcs8 -> {
                    try {
                        return new StoredCertificate(
                                id,
                                issuer.name(),
                                issuer.directory(),
                                CertificateBundle.of(List.of(leaf.getEncoded()), pkcs8),
                                Optional.empty(),
                                from,
                                Optional.of(issuer.profile().orElse("")));
                    } catch (GeneralSecurityException impossible) {
                        throw new IllegalStateException(impossible);
                    }
                });
    }

    @Override
    public Optional<RenewalWindow> window(Issuer issuer, X509Certificate leaf)
            throws FailedException {
        windowsAsked.add(leaf);
        if (windowFails) {
            throw new FailedException(new Cause.Unreachable("no route"));
        }
        return window;
    }

    @Override
    public void revoke(Issuer issuer, X509Certificate leaf, boolean keyCompromised)
            throws FailedException {
        if (revocationFails) {
            throw new FailedException(new Cause.Unreachable("no route"));
        }
        revoked.add(leaf);
    }

    @Override
    public void rollOver(Issuer issuer) throws FailedException {
        rolledOver.add(issuer.name());
        if (rollOverFails) {
            throw new FailedException(new Cause.Unreachable("no route"));
        }
        if (rollOverHeld) {
            rollOvers.acquireUninterruptibly();
        }
    }

    @Override
    public void abandon(Issuer issuer, StoredOrder order) {
        abandoned.add(issuer.name() + " " + order.location().orElseThrow());
        if (abandonHeld) {
            try {
                abandons.acquire();
            } catch (InterruptedException ended) {
                notAbandoned.add(order.id().text());
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public long requests(Issuer issuer) {
        return orders.stream().filter(it -> it.issuer().equals(issuer.name())).count() * 10;
    }

    @Override
    public void close() {
        closed = true;
    }
}
