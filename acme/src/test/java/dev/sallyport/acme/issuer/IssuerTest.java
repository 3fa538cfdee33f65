package dev.sallyport.acme.issuer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.TestAuthority;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IssuerTest {
    private static final ObjectRef ORIGIN = ObjectRef.gateway("configuration");
    private static final SensitiveBytes MAC = bytes("MDEyMzQ1Njc4OWFiY2RlZg");

    private static IssuerDraft draft() {
        return IssuerDraft.of(
                "main", "https://ca.example:14000/dir", List.of("admin@shop.example"), true);
    }

    @Test
    void whatIsSoundBecomesAnIssuer() throws Exception {
        String pem =
                "-----BEGIN CERTIFICATE-----\n"
                        + Base64.getMimeEncoder()
                                .encodeToString(new TestAuthority().certificate().getEncoded())
                        + "\n-----END CERTIFICATE-----\n";
        Issuer issuer =
                usable(
                        draft().withKey("rsa-3072")
                                .withProfile("shortlived")
                                .withPreferredChain("Root X2")
                                .withExternalAccount("kid-1", MAC)
                                .withOrigins(List.of("https://other.example"))
                                .ofOwn(pem.getBytes(StandardCharsets.US_ASCII)));
        assertThat(issuer.key()).isEqualTo(KeyAlgorithm.RSA_3072);
        assertThat(issuer.profile()).contains("shortlived");
        assertThat(issuer.trustedCa()).hasSize(1);
        assertThat(issuer.privateAddresses()).isTrue();
        assertThat(issuer.externalAccount().orElseThrow().macKey())
                .isEqualTo(bytes("0123456789abcdef"));
        assertThat(issuer.allows(URI.create("https://ca.example:14000/order/1"))).isTrue();
        assertThat(issuer.allows(URI.create("https://CA.example:14000/order/1"))).isTrue();
        assertThat(issuer.allows(URI.create("https://other.example/x"))).isTrue();
        assertThat(issuer.allows(URI.create("https://other.example:444/x"))).isFalse();
        assertThat(issuer.allows(URI.create("https://ca.example/order/1"))).isFalse();
        assertThat(issuer.allows(URI.create("http://ca.example:14000/order/1"))).isFalse();
        assertThat(issuer.allows(URI.create("https://a@ca.example:14000/order/1"))).isFalse();
    }

    @Test
    void knownCasMayBeNamedByAWord() {
        assertThat(usable(IssuerDraft.of("le", "letsencrypt-staging", List.of(), true)).directory())
                .isEqualTo(URI.create("https://acme-staging-v02.api.letsencrypt.org/directory"));
    }

    @Test
    void aCaThatNeedsAnExternalAccountSaysSo() {
        assertThat(refused(IssuerDraft.of("z", "zerossl", List.of(), true)))
                .singleElement()
                .satisfies(it -> assertThat(it.message()).contains("external account"));
    }

    @Test
    void allThatIsWrongIsFoundAtOnce() {
        IssuerDraft wrong =
                IssuerDraft.of("Main!", "http://ca.example/dir", List.of("mailto:x"), false)
                        .withKey("ec-p521")
                        .withProfile("a b")
                        .withExternalAccount("kid", bytes("short"))
                        .withOrigins(List.of("https://x/y"))
                        .ofOwn(new byte[] {1});
        assertThat(refused(wrong))
                .hasSize(9)
                .allSatisfy(it -> assertThat(it.reason()).isEqualTo(Reason.ISSUER_INVALID));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ca.example",
                "https://",
                "https://user@ca.example/dir",
                "https://ca.example:0/dir",
                "https://ca.example:70000/dir",
                "file:///etc/passwd",
                "https://ca.example/a b"
            })
    void onlyHttpsIsADirectory(String directory) {
        assertThat(refused(IssuerDraft.of("main", directory, List.of(), true)))
                .singleElement()
                .satisfies(it -> assertThat(it.message()).startsWith("directory: "));
    }

    @Test
    void theMacKeyIsNotPrinted() {
        assertThat(usable(draft().withExternalAccount("kid-1", MAC)).toString())
                .contains("kid-1")
                .doesNotContain("MDEyMzQ1")
                .doesNotContain("0123456789abcdef");
    }

    @Test
    void anIssuerIsKnownByItsNameAndItsCa() {
        var issuers =
                ((Parsed.Usable<Issuers>)
                                Issuers.parse(
                                        ORIGIN,
                                        List.of(
                                                draft(),
                                                IssuerDraft.of(
                                                        "le", "letsencrypt", List.of(), true),
                                                IssuerDraft.of(
                                                        "short", "letsencrypt", List.of(), true))))
                        .value();
        Issuer le = issuers.find("le").orElseThrow();
        assertThat(issuers.find("le", le.directory())).contains(le);
        assertThat(issuers.find("main", le.directory())).isEmpty();
        assertThat(issuers.find("other")).isEmpty();
        assertThat(issuers.names()).containsExactly("main", "le", "short");
        assertThat(issuers.firstOfSameCa())
                .isEqualTo(Map.of("main", "main", "le", "le", "short", "le"));
    }

    @Test
    void twoIssuersOfOneNameAreRefused() {
        assertThat(Issuers.parse(ORIGIN, List.of(draft(), draft())).findings())
                .singleElement()
                .satisfies(it -> assertThat(it.message()).contains("named twice"));
        assertThat(Issuers.parse(ORIGIN, List.of())).isInstanceOf(Parsed.Rejected.class);
    }

    @ParameterizedTest
    @CsvSource({
        "shop,shop.example,true",
        "shop,www.shop.example,true",
        "shop,*.shop.example,true",
        "shop,a.b.shop.example,false",
        "shop,other.example,false",
        "shop,192.0.2.1,true",
        "blog,shop.example,false",
        "blog,a.b.blog.example,true",
        "blog,blog.example,false",
        "blog,notblog.example,false",
        "anybody,common.example,true",
    })
    void namesAreGrantedToNamespaces(String namespace, String name, boolean allowed) {
        AllowList list =
                ((Parsed.Usable<AllowList>)
                                AllowList.parse(
                                        ORIGIN,
                                        List.of(
                                                "shop=shop.example",
                                                "shop=*.shop.example",
                                                "shop=192.0.2.1",
                                                "blog=**.blog.example",
                                                "*=common.example")))
                        .value();
        assertThat(list.allows(namespace, Identifier.parse(name))).isEqualTo(allowed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop", "=x.example", "shop=", "shop=**.*.x.example", "shop=a b"})
    void grantsThatMakeNoSenseAreRefused(String grant) {
        assertThat(AllowList.parse(ORIGIN, List.of(grant))).isInstanceOf(Parsed.Rejected.class);
    }

    @Test
    void everythingIsAllowedWhereItIsSaidSo() {
        assertThat(AllowList.EVERYTHING.allows("x", Identifier.parse("*.y.example"))).isTrue();
        assertThat(new AllowList(List.of()).allows("x", Identifier.parse("y.example"))).isFalse();
    }

    private static Issuer usable(IssuerDraft draft) {
        return switch (Issuer.parse(ORIGIN, draft)) {
            case Parsed.Usable<Issuer> usable -> usable.value();
            case Parsed.Rejected<Issuer> rejected -> throw new AssertionError(rejected.findings());
        };
    }

    private static List<Finding> refused(IssuerDraft draft) {
        Parsed<Issuer> parsed = Issuer.parse(ORIGIN, draft);
        assertThat(parsed).isInstanceOf(Parsed.Rejected.class);
        return parsed.findings();
    }

    private static SensitiveBytes bytes(String text) {
        return SensitiveBytes.copyOf(text.getBytes(StandardCharsets.US_ASCII));
    }
}
