package dev.sallyport.tls.front;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.tls.context.PolicyContext;
import dev.sallyport.tls.context.Presentation;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.ssl.SslHandler;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * Takes the connections of one TLS listener; made by {@link TlsFront#acceptor}. Safe from any
 * thread; its handlers belong to their connection's event loop.
 */
public final class TlsAcceptor implements AutoCloseable {
    /** How long a connection that is to be closed waits for its close_notify to be sent. */
    private static final long CLOSE_NOTIFY_FLUSH_MILLIS = 3_000;

    /** What a CA offers, alone, to look at a TLS-ALPN-01 challenge (RFC 8737 section 4). */
    static final String CHALLENGE_PROTOCOL = "acme-tls/1";

    private final PolicyContext context;
    private final PolicyContext challenges;
    private final Supplier<CertificateTable> certificates;
    private final HandshakeLimits limits;
    private final HandshakeListener listener;
    private final InstantSource clock;
    private final Runnable onClose;
    private final AtomicBoolean closed = new AtomicBoolean();

    TlsAcceptor(
            PolicyContext context,
            PolicyContext challenges,
            Supplier<CertificateTable> certificates,
            HandshakeLimits limits,
            HandshakeListener listener,
            InstantSource clock,
            Runnable onClose) {
        this.context = context;
        this.challenges = challenges;
        this.certificates = certificates;
        this.limits = limits;
        this.listener = listener;
        this.clock = clock;
        this.onClose = onClose;
    }

    /** The listener's policy. */
    public TlsPolicy policy() {
        return context.policy();
    }

    /**
     * The first handler of a new connection. It replaces itself by Netty's {@code SslHandler} and
     * fires {@link TlsEstablished} down the pipeline when the handshake is complete; a handshake
     * that fails closes the connection, and nothing of it but {@code channelInactive} reaches the
     * handlers behind.
     */
    public ChannelHandler newHandler() {
        return new HelloHandler(this);
    }

    /**
     * Takes no more connections; with the last acceptor of a policy its native context is given
     * back. Connections under way keep it until they end.
     */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            onClose.run();
        }
    }

    /** What becomes of a ClientHello. */
    sealed interface Choice {
        /**
         * A handshake with these certificates.
         *
         * @param fallback whether they are the default
         * @param challenge whether they answer a CA, who wants to see them and nothing else
         */
        record Chosen(
                ClientHello hello, CertificateSet certificates, boolean fallback, boolean challenge)
                implements Choice {}

        /**
         * No handshake.
         *
         * @param alert what to answer with; null to say nothing
         */
        record Refused(HandshakeFailure reason, @Nullable Alert alert) implements Choice {}
    }

    /** Reads the table once; what it says now is what the connection has for all its life. */
    Choice choose(ClientHello hello) {
        if (closed.get()) {
            return new Choice.Refused(HandshakeFailure.CLOSED, null);
        }
        if (List.of(CHALLENGE_PROTOCOL).equals(hello.protocols())) {
            return challenge(hello);
        }
        if (!agrees(hello.protocols(), policy().applicationProtocols())) {
            return new Choice.Refused(
                    HandshakeFailure.NO_APPLICATION_PROTOCOL, Alert.NO_APPLICATION_PROTOCOL);
        }
        CertificateTable table = certificates.get();
        CertificateSet found = table.find(hello.serverName());
        return found == null
                ? new Choice.Refused(HandshakeFailure.NAME_UNKNOWN, Alert.UNRECOGNIZED_NAME)
                : new Choice.Chosen(
                        hello, found, table.fallback().filter(found::equals).isPresent(), false);
    }

    /** The normal certificate is no answer: "acme-tls/1" with it would prove something else. */
    private Choice challenge(ClientHello hello) {
        String name = hello.serverName();
        CertificateSet found = name == null ? null : certificates.get().challenges().get(name);
        return found == null
                ? new Choice.Refused(
                        HandshakeFailure.NO_APPLICATION_PROTOCOL, Alert.NO_APPLICATION_PROTOCOL)
                : new Choice.Chosen(hello, found, false, true);
    }

    SslHandler newTlsHandler(ByteBufAllocator allocator, Choice.Chosen chosen) {
        SslHandler tls =
                (chosen.challenge() ? challenges : context)
                        .newHandler(
                                allocator,
                                new Presentation(
                                        chosen.hello().writtenName(), chosen.certificates()));
        tls.setCloseNotifyFlushTimeout(CLOSE_NOTIFY_FLUSH_MILLIS, TimeUnit.MILLISECONDS);
        tls.setCloseNotifyReadTimeout(0, TimeUnit.MILLISECONDS); // RFC 8446 6.1: need not wait
        return tls;
    }

    void verify(SSLEngine engine) throws SSLPeerUnverifiedException {
        context.verify(engine, clock.instant());
    }

    void end(SSLEngine engine, Choice.Chosen chosen) {
        (chosen.challenge() ? challenges : context).end(engine);
    }

    HandshakeLimits limits() {
        return limits;
    }

    HandshakeListener listener() {
        return listener;
    }

    /**
     * RFC 7301 section 3.2: without a common protocol the server "SHALL send a fatal alert", which
     * also ends attacks across protocols (ALPACA). BoringSSL, as Netty sets it up, would go on.
     */
    private static boolean agrees(@Nullable List<String> offered, List<String> spoken) {
        if (offered == null || spoken.isEmpty()) {
            return true;
        }
        for (String protocol : offered) {
            if (spoken.contains(protocol)) {
                return true;
            }
        }
        return false;
    }
}
