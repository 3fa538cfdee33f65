package dev.sallyport.tls.context;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ClientAuthentication.TrustAnchors;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.SelfSigned;
import dev.sallyport.tls.certificate.TestCertificates;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.LeakPresenceDetector;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class PolicyContextTest {
    private static final TrustAnchors ANCHORS =
            TrustAnchors.of(List.of(TestCertificates.valid().authority().make().der()));

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    /** Lends a context and an engine that has shaken no hand. */
    private static void with(ClientAuthentication authentication, Consumer<Lent> use) {
        var policy =
                new TlsPolicy(
                        TlsProfile.INTERMEDIATE,
                        TlsPolicy.DEFAULT_GROUPS,
                        List.of(),
                        authentication);
        CertificateSet certificates =
                CertificateSet.of(
                        List.of(
                                new ServedCertificate(
                                        SelfSigned.make(List.of(), Duration.ofDays(1), () -> NOW),
                                        ObjectRef.gateway("test"),
                                        NOW,
                                        true)));
        try (var store = new CredentialStore(1);
                var context =
                        new PolicyContext(policy, store, new TicketKeys(new byte[32], NOW), NOW)) {
            SslHandler handler =
                    context.newHandler(
                            UnpooledByteBufAllocator.DEFAULT, new Presentation(null, certificates));
            try {
                use.accept(new Lent(context, handler.engine()));
            } finally {
                context.end(handler.engine());
                assertThat(context.pending()).isZero();
                ReferenceCountUtil.release(handler.engine());
            }
        }
    }

    private record Lent(PolicyContext context, SSLEngine engine) {}

    @Test
    void aConnectionWithoutClientCertificateDoesNotPassWhereOneIsRequired() {
        // The last fence: no session that crosses gets this far, so it is tried by itself.
        with(
                new ClientAuthentication.Required(ANCHORS),
                lent ->
                        assertThatThrownBy(() -> lent.context().verify(lent.engine(), NOW))
                                .isInstanceOf(SSLPeerUnverifiedException.class));
    }

    @Test
    void aConnectionWithoutClientCertificatePassesWhereItIsOptional() {
        with(
                new ClientAuthentication.Optional(ANCHORS),
                lent ->
                        assertThatCode(() -> lent.context().verify(lent.engine(), NOW))
                                .doesNotThrowAnyException());
    }

    @Test
    void aHandshakeUnderWayIsPending() {
        with(
                new ClientAuthentication.None(),
                lent -> assertThat(lent.context().pending()).isEqualTo(1));
    }

    @Test
    void closingTwiceAndRotatingAClosedContextAreHarmless() {
        with(
                new ClientAuthentication.None(),
                lent -> {
                    lent.context().close();
                    lent.context().close();
                    assertThatCode(() ->
                                    lent.context().rotateTicketKeys(NOW.plus(Duration.ofDays(9))))
                            .doesNotThrowAnyException();
                });
    }
}
