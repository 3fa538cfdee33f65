package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.KeyMaterial;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.bouncycastle.asn1.x509.GeneralName;
import org.junit.jupiter.api.Test;

class IssuedChainTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final TestAuthority authority = new TestAuthority();
    private final KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
    private final CertificateOrder order =
            CertificateOrder.of(
                    List.of(Identifier.parse("shop.example"), Identifier.parse("192.0.2.1")),
                    KeyAlgorithm.EC_P256);

    @Test
    void whatWasOrderedIsTaken() throws Exception {
        assertThat(
                        IssuedChain.prove(
                                        List.of(leaf(NOW, "shop.example", "192.0.2.1")),
                                        order,
                                        key,
                                        NOW,
                                        () -> List.of(authority.certificate()))
                                .covers("shop.example"))
                .isTrue();
    }

    @Test
    void anotherKeysCertificateIsNot() {
        KeyMaterial other = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        refused(
                List.of(
                        authority.issue(
                                other.keyPair().getPublic(),
                                NOW,
                                Duration.ofDays(90),
                                "shop.example",
                                "192.0.2.1")),
                "another key");
    }

    @Test
    void fewerNamesAreNot() {
        refused(List.of(leaf(NOW, "shop.example")), "names shop.example (expected: 192.0.2.1, ");
    }

    @Test
    void moreNamesAreNot() {
        refused(List.of(leaf(NOW, "shop.example", "192.0.2.1", "evil.example")), "evil.example");
    }

    @Test
    void aCertificateOfTomorrowIsNot() {
        refused(
                List.of(leaf(NOW.plus(Duration.ofDays(1)), "shop.example", "192.0.2.1")),
                "is valid from");
    }

    @Test
    void anExpiredCertificateIsNot() {
        refused(
                List.of(leaf(NOW.minus(Duration.ofDays(90)), "shop.example", "192.0.2.1")),
                "is valid from");
    }

    @Test
    void aClockThatIsSomeMinutesWrongIsForgiven() throws Exception {
        assertThat(
                        IssuedChain.prove(
                                List.of(
                                        leaf(
                                                NOW.plus(Duration.ofMinutes(4)),
                                                "shop.example",
                                                "192.0.2.1")),
                                order,
                                key,
                                NOW,
                                () -> List.of(authority.certificate())))
                .isNotNull();
    }

    @Test
    void nothingIsNot() {
        refused(List.of(), "no certificate");
    }

    @Test
    void aChainOfOthersBehindTheLeafIsNot() {
        X509Certificate stranger =
                new TestAuthority()
                        .issue(
                                KeyMaterial.generate(KeyAlgorithm.EC_P256).keyPair().getPublic(),
                                NOW,
                                Duration.ofDays(90),
                                "stranger.example");
        refused(List.of(leaf(NOW, "shop.example", "192.0.2.1"), stranger), "");
    }

    @Test
    void namesOfOtherKindsAreNot() {
        for (GeneralName odd :
                List.of(
                        new GeneralName(GeneralName.rfc822Name, "me@shop.example"),
                        new GeneralName(
                                GeneralName.uniformResourceIdentifier, "https://evil.example/"),
                        new GeneralName(GeneralName.registeredID, "1.2.3"))) {
            refused(List.of(leaf(odd)), "a name of another kind");
        }
        refused(
                List.of(leaf(new GeneralName(GeneralName.dNSName, "_odd name"))),
                "names what is no DNS name: _odd name");
    }

    @Test
    void aLeafAloneIsTakenFromARootOnly() throws Exception {
        X509Certificate leaf = leaf(NOW, "shop.example", "192.0.2.1");
        X509Certificate namesake = new TestAuthority().certificate();
        for (List<X509Certificate> roots : List.of(List.<X509Certificate>of(), List.of(namesake))) {
            assertThatThrownBy(() -> IssuedChain.prove(List.of(leaf), order, key, NOW, () -> roots))
                    .isInstanceOf(IssuedChain.Wrong.class)
                    .hasMessageContaining("no intermediate certificate");
        }
        assertThat(
                        IssuedChain.prove(
                                List.of(leaf),
                                order,
                                key,
                                NOW,
                                () -> List.of(namesake, authority.certificate())))
                .isNotNull();
        // Nor is one of no more than a root, which clients are not sent.
        List<X509Certificate> withRoot = List.of(leaf, authority.certificate());
        assertThatThrownBy(() -> IssuedChain.prove(withRoot, order, key, NOW, List::of))
                .isInstanceOf(IssuedChain.Wrong.class)
                .hasMessageContaining("no intermediate certificate");
        assertThat(
                        IssuedChain.prove(
                                withRoot, order, key, NOW, () -> List.of(authority.certificate())))
                .isNotNull();
    }

    private X509Certificate leaf(GeneralName odd) {
        return authority.issue(
                key.keyPair().getPublic(),
                NOW,
                Duration.ofDays(90),
                new GeneralName(GeneralName.dNSName, "shop.example"),
                new GeneralName(GeneralName.iPAddress, "192.0.2.1"),
                odd);
    }

    private X509Certificate leaf(Instant notBefore, String... names) {
        return authority.issue(key.keyPair().getPublic(), notBefore, Duration.ofDays(90), names);
    }

    private void refused(List<X509Certificate> chain, String why) {
        assertThatThrownBy(() ->
                        IssuedChain.prove(
                                chain, order, key, NOW, () -> List.of(authority.certificate())))
                .isInstanceOf(IssuedChain.Wrong.class)
                .hasMessageContaining(why);
    }
}
