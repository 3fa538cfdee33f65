package dev.sallyport.tls.context;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.SelfSigned;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.CertificateEncodingException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Does this Netty, with this native library, still do what {@link CredentialKeyManager} relies on?
 * A few handshakes in memory, before a port is opened.
 */
final class SelfTest {
    /** Nothing here depends on the time; the certificate is valid then. */
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private static final int MOST_FLIGHTS = 20;

    private SelfTest() {}

    /** What does not work as expected; empty if all does. */
    static Optional<String> problem() {
        CertificateBundle bundle =
                SelfSigned.make(
                        List.of(Hostname.parse("known.invalid")), Duration.ofDays(1), () -> NOON);
        CertificateSet certificates =
                CertificateSet.of(
                        List.of(
                                new ServedCertificate(
                                        bundle, ObjectRef.gateway("self-test"), NOON, true)));
        CredentialStore store = new CredentialStore(4);
        try {
            for (TlsProfile profile : TlsProfile.values()) {
                Optional<String> problem = problem(profile, store, certificates);
                if (problem.isPresent()) {
                    return problem;
                }
            }
        } catch (SSLException | CertificateEncodingException | RuntimeException e) {
            return Optional.of(e.toString());
        } finally {
            store.close();
        }
        return store.created() == store.freed()
                ? Optional.empty()
                : Optional.of("native credentials leak");
    }

    private static Optional<String> problem(
            TlsProfile profile, CredentialStore store, CertificateSet certificates)
            throws SSLException, CertificateEncodingException {
        TlsPolicy policy =
                new TlsPolicy(
                        profile,
                        TlsPolicy.DEFAULT_GROUPS,
                        List.of("h2"),
                        new ClientAuthentication.None());
        String version = profile == TlsProfile.MODERN ? "TLSv1.3" : "TLSv1.2";
        byte[] leaf = certificates.certificates().getFirst().bundle().chain().getFirst();
        try (var context =
                new PolicyContext(policy, store, new TicketKeys(new byte[32], NOON), NOON)) {
            Presentation known = new Presentation("known.invalid", certificates);
            if (!Arrays.equals(leaf, presented(context, known, version, "known.invalid"))) {
                return Optional.of(version + ": the decided certificate was not presented");
            }
            if (presented(context, known, version, "other.invalid") != null) {
                return Optional.of(version + ": a name read in two ways was served");
            }
        }
        return Optional.empty();
    }

    /** The certificate that a client saw, or null where the handshake failed. */
    private static byte @Nullable [] presented(
            PolicyContext context, Presentation presentation, String version, String asked)
            throws SSLException, CertificateEncodingException {
        SslContext clientContext =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL_REFCNT)
                        .protocols(version)
                        .endpointIdentificationAlgorithm(null)
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .build();
        SslHandler serverSide = context.newHandler(UnpooledByteBufAllocator.DEFAULT, presentation);
        SslHandler clientSide =
                clientContext.newHandler(UnpooledByteBufAllocator.DEFAULT, asked, 443);
        var server = new EmbeddedChannel(serverSide, new Quiet());
        var client = new EmbeddedChannel(clientSide, new Quiet());
        try {
            for (int i = 0; i < MOST_FLIGHTS && !clientSide.handshakeFuture().isDone(); i++) {
                move(client, server);
                move(server, client);
            }
            return clientSide.handshakeFuture().isSuccess()
                    ? clientSide.engine().getSession().getPeerCertificates()[0].getEncoded()
                    : null;
        } finally {
            context.end(serverSide.engine());
            client.finishAndReleaseAll();
            server.finishAndReleaseAll();
            ReferenceCountUtil.release(clientContext);
        }
    }

    private static void move(EmbeddedChannel from, EmbeddedChannel to) {
        from.runPendingTasks();
        for (Object message = from.readOutbound(); message != null; message = from.readOutbound()) {
            to.writeInbound(message);
        }
    }

    /** Lets failed handshakes pass: the client's future tells of them. */
    private static final class Quiet extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var _ = ctx.close();
        }
    }
}
