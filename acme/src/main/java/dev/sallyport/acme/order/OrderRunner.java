package dev.sallyport.acme.order;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.order.Causes.Step;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Parsed;
import java.io.IOException;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.shredzone.acme4j.Certificate;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.OrderBuilder;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.connector.Resource;

/**
 * Drives orders, each from its account to its stored certificate, on the thread that calls: a
 * virtual one, since most of it is waiting.
 *
 * <p>What must not be lost is stored before the step that would lose it: the account's key before
 * the account, the certificate's key before the order, the order's URL before its challenges. After
 * whatever kind of end the next {@link #run} for the same certificate goes on where that one was,
 * at the price of one order at most that nobody finishes. Safe from any thread, for different
 * certificates.
 */
public final class OrderRunner {
    private static final System.Logger LOG = System.getLogger(OrderRunner.class.getName());

    /** Of the chains that a CA offers beside the first one, how many are looked at. */
    private static final int MOST_ALTERNATES = 8;

    /** How long a CA is told that an order is given up; more than one of its requests may take. */
    private static final Duration ABANDONING = Duration.ofSeconds(40);

    private final AcmeStore store;
    private final ChallengeBoard board;
    private final InstantSource clock;
    private final Pause pause;
    private final OrderTimes times;

    /**
     * Makes one.
     *
     * @param store where accounts, orders and certificates are kept
     * @param board where challenges are shown
     */
    public OrderRunner(
            AcmeStore store,
            ChallengeBoard board,
            InstantSource clock,
            Pause pause,
            OrderTimes times) {
        this.store = store;
        this.board = board;
        this.clock = clock;
        this.pause = pause;
        this.times = times;
    }

    /**
     * Orders, or goes on with the order in progress where that is the same one.
     *
     * @throws InterruptedException where the thread is interrupted; the order goes on next time
     */
    public Outcome run(CertificateAuthority authority, OrderRequest request, Progress progress)
            throws InterruptedException {
        return GuardedHttpClient.within(times.total(), () -> attempt(authority, request, progress));
    }

    /**
     * Tells the CA that nobody will go on with an order (RFC 8555 section 7.5.2): it counts
     * authorizations that are pending. Where it cannot be told, they end by themselves, in days.
     */
    public void abandon(CertificateAuthority authority, StoredOrder stored) {
        Optional<URI> location = stored.location();
        if (location.isEmpty()) {
            return;
        }
        GuardedHttpClient.within(
                ABANDONING,
                () -> {
                    try {
                        Optional<Login> login = authority.known(authority.session());
                        if (login.isPresent()) {
                            Order order =
                                    login.get().bindOrder(CertificateAuthority.url(location.get()));
                            Validation.giveUp(authority, order, stored.order().identifiers());
                        }
                    } catch (FailedException notTold) {
                        LOG.log(
                                System.Logger.Level.DEBUG,
                                "{0} is not told that its order is given up: {1}",
                                stored.id(),
                                notTold.why().detail());
                    }
                    return true;
                });
    }

    private Outcome attempt(CertificateAuthority authority, OrderRequest request, Progress progress)
            throws InterruptedException {
        var waiting = new Waiting(clock, pause, times, clock.instant().plus(times.total()));
        try {
            try {
                return new Outcome.Issued(once(authority, request, progress, waiting));
            } catch (FailedException failed) {
                if (!(failed.why() instanceof Cause.AccountLost)) {
                    throw failed;
                }
                // The account's URL is forgotten by now: the CA may still know, or take, its key.
                return new Outcome.Issued(once(authority, request, progress, waiting));
            }
        } catch (FailedException failed) {
            if (failed.isInterruption()) {
                throw new InterruptedException();
            }
            return new Outcome.Failed(failed.why());
        }
    }

    private StoredCertificate once(
            CertificateAuthority authority,
            OrderRequest request,
            Progress progress,
            Waiting waiting)
            throws FailedException, InterruptedException {
        Session session = authority.session();
        Login login = authority.login(session);
        progress.reached(Station.ACCOUNT);
        try {
            Opened opened = open(authority, login, request, progress);
            progress.reached(Station.ORDERED);
            return finish(authority, opened, progress, waiting);
        } catch (FailedException failed) {
            if (failed.why() instanceof Cause.AccountLost) {
                authority.forgetLocation(login);
            }
            if (failed.why().endsTheOrder()) {
                forgetEnded(request.id());
            }
            throw failed;
        }
    }

    /** An order at the CA with what is stored of it. */
    private record Opened(Order order, StoredOrder stored) {}

    private Opened open(
            CertificateAuthority authority, Login login, OrderRequest request, Progress progress)
            throws FailedException {
        Optional<StoredOrder> found = stored(request, authority);
        if (found.isPresent() && found.get().location().isPresent()) {
            Optional<Order> going = resume(authority, login, found.get());
            if (going.isPresent()) {
                return new Opened(going.get(), found.get());
            }
        }
        KeyMaterial key =
                found.map(StoredOrder::key) // no certificate was ever issued for it
                        .orElseGet(() -> KeyMaterial.generate(request.order().key()));
        var begun =
                new StoredOrder(
                        request.id(),
                        authority.issuer().name(),
                        authority.issuer().directory(),
                        request.order(),
                        key,
                        Optional.empty(),
                        clock.instant());
        save(begun);
        progress.reached(Station.KEY_STORED);
        Order order = create(authority, login, request);
        StoredOrder known = begun.at(location(order));
        save(known);
        return new Opened(order, known);
    }

    /** The order in progress, if it is the one that is wanted; another is forgotten. */
    private Optional<StoredOrder> stored(OrderRequest request, CertificateAuthority authority)
            throws FailedException {
        Optional<StoredOrder> found =
                switch (store.order(request.id())) {
                    case Parsed.Usable<Optional<StoredOrder>> usable -> usable.value();
                    case Parsed.Rejected<Optional<StoredOrder>> damaged -> {
                        // It is written over, which is why it is said once: an order that nobody
                        // finishes is all that is lost with it.
                        LOG.log(
                                System.Logger.Level.WARNING,
                                "{0}; another order is made in its place",
                                damaged.findings().getFirst().message());
                        yield Optional.empty();
                    }
                };
        return found.filter(order ->
                order.order().equals(request.order())
                        && order.directory().equals(authority.issuer().directory())
                        && !isDone(order));
    }

    /** A process that ended between storing the certificate and removing its order leaves both. */
    private boolean isDone(StoredOrder order) {
        return store.certificate(order.id())
                        instanceof Parsed.Usable<Optional<StoredCertificate>> usable
                && usable.value().filter(order::isDoneBy).isPresent();
    }

    /** The order at its URL; empty where the CA has given it up. */
    private Optional<Order> resume(CertificateAuthority authority, Login login, StoredOrder stored)
            throws FailedException {
        Order order = login.bindOrder(CertificateAuthority.url(stored.location().orElseThrow()));
        try {
            Status status =
                    authority.ask(
                            Step.ORDER,
                            stored.order().identifiers(),
                            () -> {
                                order.fetch();
                                return order.getStatus();
                            });
            return switch (status) {
                case PENDING, READY, PROCESSING, VALID -> Optional.of(order);
                default -> Optional.empty();
            };
        } catch (FailedException failed) {
            return switch (failed.why()) {
                // The CA forgot it, or whose it was.
                case Cause.OrderRefused _, Cause.OrderLost _ -> Optional.empty();
                default -> throw failed;
            };
        }
    }

    private static Order create(CertificateAuthority authority, Login login, OrderRequest request)
            throws FailedException {
        Set<Identifier> identifiers = request.order().identifiers();
        boolean mayReplace =
                request.replaces().isPresent()
                        && authority.ask(
                                Step.ORDER,
                                identifiers,
                                () ->
                                        login.getSession()
                                                .resourceUrlOptional(Resource.RENEWAL_INFO)
                                                .isPresent());
        if (mayReplace) {
            try {
                return create(authority, login, request, request.replaces());
            } catch (FailedException failed) {
                switch (failed.why()) {
                    // "alreadyReplaced", or a certificate that this account never had; nor does a
                    // CA know it that has lost its memory.
                    case Cause.OrderRefused _, Cause.OrderLost _ -> {}
                    default -> throw failed;
                }
            }
        }
        try {
            return create(authority, login, request, Optional.empty());
        } catch (FailedException failed) {
            // What is not there is where orders are made.
            throw failed.why() instanceof Cause.OrderLost lost
                    ? new FailedException(new Cause.CaTrouble(lost.detail()))
                    : failed;
        }
    }

    private static Order create(
            CertificateAuthority authority,
            Login login,
            OrderRequest request,
            Optional<X509Certificate> replaces)
            throws FailedException {
        return authority.ask(
                Step.ORDER,
                request.order().identifiers(),
                () -> builder(authority, login, request, replaces).create());
    }

    private static OrderBuilder builder(
            CertificateAuthority authority,
            Login login,
            OrderRequest request,
            Optional<X509Certificate> replaces) {
        OrderBuilder builder = login.newOrder();
        for (Identifier identifier : request.order().identifiers()) {
            builder.identifier(
                    new org.shredzone.acme4j.Identifier(
                            identifier instanceof Identifier.Dns ? "dns" : "ip",
                            identifier.text()));
        }
        authority.issuer().profile().ifPresent(builder::profile);
        replaces.ifPresent(builder::replaces);
        return builder;
    }

    private StoredCertificate finish(
            CertificateAuthority authority, Opened opened, Progress progress, Waiting waiting)
            throws FailedException, InterruptedException {
        Order order = opened.order();
        Set<Identifier> identifiers = opened.stored().order().identifiers();
        Status status = authority.ask(Step.ORDER, identifiers, order::getStatus);
        if (status == Status.PENDING) {
            new Validation(authority, board, times, waiting, progress, clock)
                    .run(order, identifiers);
            status = await(authority, order, identifiers, waiting, Set.of(Status.PENDING));
        }
        if (status != Status.READY && status != Status.PROCESSING && status != Status.VALID) {
            throw refused(authority, order, identifiers, opened.stored());
        }
        progress.reached(Station.VALIDATED);
        if (status == Status.READY) {
            byte[] request = SigningRequest.of(identifiers, opened.stored().key());
            authority.ask(
                    Step.ORDER,
                    identifiers,
                    () -> {
                        order.execute(request);
                        return true;
                    });
        }
        progress.reached(Station.FINALISED);
        status =
                await(
                        authority,
                        order,
                        identifiers,
                        waiting,
                        Set.of(Status.READY, Status.PROCESSING));
        if (status != Status.VALID) {
            throw refused(authority, order, identifiers, opened.stored());
        }
        return issued(authority, opened, progress);
    }

    /** The first status that is none of these. */
    private static Status await(
            CertificateAuthority authority,
            Order order,
            Set<Identifier> identifiers,
            Waiting waiting,
            Set<Status> passing)
            throws FailedException, InterruptedException {
        return waiting.until(
                "the CA to go on with the order",
                () -> authority.ask(Step.ORDER, identifiers, order::fetch),
                () -> authority.ask(Step.ORDER, identifiers, order::getStatus),
                status -> !passing.contains(status));
    }

    private FailedException refused(
            CertificateAuthority authority,
            Order order,
            Set<Identifier> identifiers,
            StoredOrder stored)
            throws FailedException {
        Optional<Problem> problem = authority.ask(Step.ORDER, identifiers, order::getError);
        forget(stored);
        return new FailedException(
                problem.map(it -> Causes.of(it, Step.ORDER, identifiers))
                        .orElseGet(() -> new Cause.OrderLost("the CA gave the order up")));
    }

    private StoredCertificate issued(
            CertificateAuthority authority, Opened opened, Progress progress)
            throws FailedException {
        StoredOrder stored = opened.stored();
        Set<Identifier> identifiers = stored.order().identifiers();
        Certificate certificate =
                authority.ask(Step.ORDER, identifiers, opened.order()::getCertificate);
        List<X509Certificate> chain = chain(authority, certificate, identifiers);
        CertificateBundle bundle;
        try {
            bundle =
                    IssuedChain.prove(
                            chain,
                            stored.order(),
                            stored.key(),
                            clock.instant(),
                            () -> IssuerTrust.roots(authority.issuer()));
        } catch (IssuedChain.Wrong wrong) {
            throw new FailedException(
                    new Cause.WrongCertificate(String.valueOf(wrong.getMessage())));
        }
        var issued =
                new StoredCertificate(
                        stored.id(),
                        stored.issuer(),
                        stored.directory(),
                        bundle,
                        CertificateAuthority.uri(certificate.getLocation()),
                        clock.instant(),
                        Optional.of(authority.issuer().profile().orElse("")));
        try {
            store.save(issued);
        } catch (IOException failed) {
            throw notStored(failed);
        }
        forget(stored);
        progress.reached(Station.ISSUED);
        return issued;
    }

    /** The chain that is preferred, if the CA has it; else the one that it gives first. */
    private static List<X509Certificate> chain(
            CertificateAuthority authority, Certificate first, Set<Identifier> identifiers)
            throws FailedException {
        List<X509Certificate> chain =
                authority.ask(Step.ORDER, identifiers, first::getCertificateChain);
        Optional<String> preferred = authority.issuer().preferredChain();
        if (preferred.isEmpty() || ChainTop.is(chain, preferred.get())) {
            return chain;
        }
        try {
            List<Certificate> alternates =
                    authority.ask(Step.ORDER, identifiers, first::getAlternateCertificates);
            for (Certificate alternate :
                    alternates.subList(0, Math.min(alternates.size(), MOST_ALTERNATES))) {
                List<X509Certificate> other =
                        authority.ask(Step.ORDER, identifiers, alternate::getCertificateChain);
                if (ChainTop.is(other, preferred.get())) {
                    return other;
                }
            }
        } catch (FailedException failed) {
            if (failed.isInterruption()) {
                throw failed;
            }
            LOG.log(
                    System.Logger.Level.WARNING,
                    "The chain {0} is not to be had, and the CA''s first one is taken: {1}",
                    preferred.get(),
                    failed.why().detail());
        }
        return chain;
    }

    private static URI location(Order order) throws FailedException {
        return CertificateAuthority.uri(order.getLocation())
                .orElseThrow(
                        () -> new FailedException(new Cause.CaTrouble("the order's URL is none")));
    }

    private void save(StoredOrder order) throws FailedException {
        try {
            store.save(order);
        } catch (IOException failed) {
            throw notStored(failed);
        }
    }

    private void forget(StoredOrder order) throws FailedException {
        forget(order.id());
    }

    private void forget(CertificateId id) throws FailedException {
        try {
            store.removeOrder(id);
        } catch (IOException failed) {
            throw notStored(failed);
        }
    }

    /** Its key, too: that may be what was refused. */
    private void forgetEnded(CertificateId id) {
        try {
            store.removeOrder(id);
        } catch (IOException failed) {
            // The CA says so again the next time; why it ended is what is to be told.
            LOG.log(
                    System.Logger.Level.WARNING,
                    "The order of {0}, which has ended, stays: {1}",
                    id,
                    FileFault.at(failed));
        }
    }

    private static FailedException notStored(IOException failed) {
        return new FailedException(new Cause.NotStored(FileFault.at(failed)));
    }
}
