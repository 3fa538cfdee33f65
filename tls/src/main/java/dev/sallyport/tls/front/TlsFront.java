package dev.sallyport.tls.front;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.tls.context.CredentialStore;
import dev.sallyport.tls.context.NativeTls;
import dev.sallyport.tls.context.NativeTlsUnavailable;
import dev.sallyport.tls.context.PolicyContext;
import dev.sallyport.tls.context.TicketKeys;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS half of the data plane: native contexts by policy, native credentials by bundle, and the
 * session ticket keys that rotate by themselves.
 *
 * <p>A rotation needs nothing of it: the table supplier returns another table, and the next
 * ClientHello is served from that. Safe from any thread.
 */
public final class TlsFront implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TlsFront.class);

    /** How often the period of the ticket keys is looked at, whatever the wall clock did since. */
    private static final long TICKET_CHECK_SECONDS = 60;

    /** RFC 8737 section 3, whatever a listener asks of its clients; TLS 1.2 or later. */
    private static final TlsPolicy CHALLENGES =
            new TlsPolicy(
                    TlsProfile.INTERMEDIATE,
                    TlsPolicy.DEFAULT_GROUPS,
                    List.of(TlsAcceptor.CHALLENGE_PROTOCOL),
                    new ClientAuthentication.None());

    private final CredentialStore store;
    private final TicketKeys ticketKeys;
    private final InstantSource clock;
    private final Future<?> rotation;
    private final Map<TlsPolicy, Shared> contexts = new HashMap<>(); // guarded by itself

    /** A context and how many acceptors use it. */
    private static final class Shared {
        private final PolicyContext context;
        private int users;

        private Shared(PolicyContext context) {
            this.context = context;
        }
    }

    /**
     * @param cachedCredentials how many bundles are held natively; the others are loaded when a
     *     handshake asks for them
     * @param ticketSecret at least 32 random bytes, copied; replicas that begin with the same in
     *     the same period of {@link TicketKeys} resume each other's sessions
     * @param timer rotates the ticket keys
     * @throws NativeTlsUnavailable where the native library is missing
     */
    public TlsFront(
            int cachedCredentials,
            InstantSource clock,
            byte[] ticketSecret,
            ScheduledExecutorService timer) {
        NativeTls.require();
        this.clock = clock;
        ticketKeys = new TicketKeys(ticketSecret, clock.instant());
        store = new CredentialStore(cachedCredentials);
        rotation =
                timer.scheduleWithFixedDelay(
                        this::rotateTicketKeys,
                        TICKET_CHECK_SECONDS,
                        TICKET_CHECK_SECONDS,
                        TimeUnit.SECONDS);
    }

    /**
     * A listener's TLS side. Acceptors of equal policies share a native context.
     *
     * @param certificates the table in service; read once for each ClientHello, on event loops
     * @throws IllegalArgumentException where the policy's trust anchors cannot be read, or the
     *     native library refuses it
     */
    public TlsAcceptor acceptor(
            TlsPolicy policy,
            Supplier<CertificateTable> certificates,
            HandshakeLimits limits,
            HandshakeListener listener) {
        synchronized (contexts) {
            PolicyContext context = share(policy);
            PolicyContext challenges;
            try {
                challenges = share(CHALLENGES);
            } catch (RuntimeException refused) {
                release(policy);
                throw refused;
            }
            return new TlsAcceptor(
                    context,
                    challenges,
                    certificates,
                    limits,
                    listener,
                    clock,
                    () -> {
                        release(policy);
                        release(CHALLENGES);
                    });
        }
    }

    private PolicyContext share(TlsPolicy policy) {
        Shared shared = contexts.get(policy);
        if (shared == null) {
            shared = new Shared(new PolicyContext(policy, store, ticketKeys, clock.instant()));
            contexts.put(policy, shared);
        }
        shared.users++;
        return shared.context;
    }

    /** Why the native library would not serve this certificate, if so; loads it once to see. */
    public Optional<Finding> refusal(ServedCertificate certificate) {
        return store.refusal(certificate);
    }

    /** Gives back the native side of a bundle that no table holds any more, before it ages out. */
    public void forget(CertificateBundle bundle) {
        store.forget(bundle);
    }

    /** Handshakes under way, from their ClientHello on. */
    public int handshakesUnderWay() {
        synchronized (contexts) {
            return contexts.values().stream().mapToInt(shared -> shared.context.pending()).sum();
        }
    }

    /** How many bundles the cache holds natively now. */
    public long credentialsHeld() {
        return store.size();
    }

    /**
     * Native credentials that exist, whoever holds them: more than the cache's only for moments.
     */
    public long credentialsAlive() {
        return store.alive();
    }

    /** Native credentials made since the start. */
    public long credentialsCreated() {
        return store.created();
    }

    /** Native credentials freed since the start; equal to those created once all is closed. */
    public long credentialsFreed() {
        return store.freed();
    }

    /**
     * Ends the rotation of ticket keys and gives back all native memory but that of connections.
     */
    @Override
    public void close() {
        rotation.cancel(false);
        synchronized (contexts) {
            contexts.values().forEach(shared -> shared.context.close());
            contexts.clear();
        }
        store.close();
    }

    private void rotateTicketKeys() {
        List<PolicyContext> all;
        synchronized (contexts) {
            all = contexts.values().stream().map(shared -> shared.context).toList();
        }
        for (PolicyContext context : all) {
            try {
                context.rotateTicketKeys(clock.instant());
            } catch (RuntimeException bug) { // which would end the schedule
                LOG.atError().setCause(bug).log("cannot rotate session ticket keys");
            }
        }
    }

    private void release(TlsPolicy policy) {
        synchronized (contexts) {
            Shared shared = contexts.get(policy);
            if (shared != null && --shared.users == 0) {
                contexts.remove(policy);
                shared.context.close();
            }
        }
    }
}
