package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.translate.AcmeRules;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OwnSecretsTest {
    private static final Map<String, String> UNNAMED =
            Map.of("sallyport.dev/acme", "order", "app.kubernetes.io/managed-by", "sallyport");

    private final OwnSecrets edge = new OwnSecrets("edge");
    private final OwnSecrets inner = new OwnSecrets("inner");

    @Test
    void oneGatewaysAreNotAnothers() {
        Secret secret = secret(edge.labels("order"));

        assertThat(edge.isOurs(secret)).isTrue();
        assertThat(inner.isOurs(secret)).isFalse();
    }

    @Test
    void anOwnerDoesNotOutdoTheLabel() {
        assertThat(inner.isOurs(owned(edge.labels("order"), "Secret", "inner-acme"))).isFalse();
    }

    @Test
    void whatOthersManageIsNobodysHere() {
        assertThat(edge.isOurs(secret(Map.of()))).isFalse();
        assertThat(edge.isOurs(secret(Map.of("sallyport.dev/acme", "true")))).isFalse();
        assertThat(edge.isOurs(secret(UNNAMED))).as("whose is not said").isFalse();
        assertThat(edge.isOurs(secret(Map.of("app.kubernetes.io/managed-by", "sallyport"))))
                .isFalse();
    }

    /** The same host, the same CA: two Secrets. */
    @Test
    void eachGatewayCallsItsOwnByItsName() {
        var shop = new CertificateId("shop.example");

        assertThat(AcmeRules.secret("ns", "sallyport", shop))
                .as("as ever")
                .isEqualTo(AcmeRules.secret("ns", shop));
        assertThat(AcmeRules.secret("ns", "edge", shop).name())
                .startsWith("edge-acme-shop.example-");
        assertThat(AcmeRules.secret("ns", "inner", shop))
                .isNotEqualTo(AcmeRules.secret("ns", "edge", shop));
    }

    /** A label's value has 63 characters at most, an object's name 253. */
    @Test
    void theLongestNamesFit() {
        String gateway = "edge.".repeat(50) + "a";
        String other = "edge.".repeat(50) + "b";
        var host = new CertificateId("a".repeat(63) + ("." + "b".repeat(62)).repeat(2));

        assertThat(AcmeRules.called(gateway)).hasSizeLessThanOrEqualTo(63).matches("[a-z0-9.-]+");
        assertThat(AcmeRules.called(gateway)).isNotEqualTo(AcmeRules.called(other));
        assertThat(AcmeRules.secret("ns", gateway, host).name() + "-order")
                .hasSizeLessThanOrEqualTo(253);
    }

    private static Secret secret(Map<String, String> labels) {
        return new SecretBuilder().withNewMetadata().withLabels(labels).endMetadata().build();
    }

    private static Secret owned(Map<String, String> labels, String kind, String owner) {
        return new SecretBuilder(secret(labels))
                .editMetadata()
                .withOwnerReferences(
                        new OwnerReferenceBuilder().withKind(kind).withName(owner).build())
                .endMetadata()
                .build();
    }
}
