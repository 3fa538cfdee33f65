package dev.sallyport.tls.context;

import static dev.sallyport.tls.certificate.TestCertificates.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;
import dev.sallyport.tls.certificate.TestCertificates;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CredentialStoreTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "shop-tls");

    private final CredentialStore store = new CredentialStore(10);

    @AfterEach
    void allIsGivenBack() {
        store.close();
        assertThat(store.freed()).isEqualTo(store.created());
    }

    private static ServedCertificate served(Made made) {
        return switch (CertificateParser.parse(SECRET, bytes(made.crt()), bytes(made.key()))) {
            case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) ->
                    new ServedCertificate(bundle, SECRET, TestCertificates.NOW, false);
            case Parsed.Rejected<CertificateBundle>(var findings) ->
                    throw new AssertionError(findings.toString());
        };
    }

    @Test
    void aSoundCertificateIsNotRefused() {
        assertThat(store.refusal(served(TestCertificates.valid().make()))).isEmpty();
        assertThat(store.created()).isEqualTo(1);
        assertThat(store.freed()).isEqualTo(1);
        assertThat(store.size()).isZero();
    }

    @Test
    void whatTheLibraryDoesNotTakeIsRefusedWithItsReason() throws Exception {
        // The JDK works with any public exponent, BoringSSL with those up to 33 bits, and so does
        // the parser: this bundle is made without it.
        Made made = TestCertificates.valid().keys(TestCertificates.foreignToBoringSsl()).make();
        CertificateBundle bundle =
                CertificateBundle.of(List.of(made.der()), made.keys().getPrivate().getEncoded());
        assertThat(
                        store.refusal(
                                new ServedCertificate(bundle, SECRET, TestCertificates.NOW, false)))
                .hasValueSatisfying(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.CERTIFICATE_REFUSED);
                    assertThat(finding.object()).isEqualTo(SECRET);
                    assertThat(finding.message()).startsWith("tls.crt: refused");
                });
        assertThat(store.created()).isZero();
    }

    @Test
    void aHandshakeThatComesLateLeavesNothingBehind() throws Exception {
        ServedCertificate served = served(TestCertificates.valid().make());
        present(served);
        assertThat(store.size()).isEqualTo(1);

        store.forget(served.bundle());
        present(served);

        assertThat(store.size()).isZero();
    }

    @Test
    void aForgottenBundleThatIsPutInServiceAgainIsKept() throws Exception {
        ServedCertificate served = served(TestCertificates.valid().make());
        store.forget(served.bundle());

        assertThat(store.refusal(served)).isEmpty();
        present(served);

        assertThat(store.size()).isEqualTo(1);
    }

    /** What a handshake does in the native library's certificate callback. */
    private void present(ServedCertificate served) throws Exception {
        SslContext context =
                SslContextBuilder.forClient().sslProvider(SslProvider.OPENSSL_REFCNT).build();
        var engine =
                (ReferenceCountedOpenSslEngine) context.newEngine(UnpooledByteBufAllocator.DEFAULT);
        try {
            store.addTo(engine.sslPointer(), CertificateSet.of(List.of(served)));
        } finally {
            engine.release();
            ReferenceCountUtil.release(context);
        }
    }

    @Test
    void negativeSizesAreRefused() {
        assertThatThrownBy(() -> new CredentialStore(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }
}
