package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeptStoreTest {
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

    @Test
    void ofASecretOnlyItsNameAndVersionAreKept() {
        var store = new KeptStore<>(Secret.class);
        Secret secret =
                new SecretBuilder()
                        .withNewMetadata()
                        .withName("s")
                        .withNamespace("shop")
                        .withResourceVersion("7")
                        .addToAnnotations(LAST_APPLIED, "the key")
                        .endMetadata()
                        .addToData("tls.key", "a2V5")
                        .build();
        store.put("shop/s", secret);
        Secret kept = store.get("shop/s");
        assertThat(kept.getMetadata().getResourceVersion()).isEqualTo("7");
        assertThat(store.getKey(kept)).isEqualTo("shop/s");
        assertThat(kept.getData()).isNullOrEmpty();
        assertThat(kept.toString()).doesNotContain("a2V5", "the key");
        assertThat(secret.getData()).as("the handler's own").containsKey("tls.key");
        assertThat(store.isFullState()).isFalse();
    }

    @Test
    void ofOtherKindsEverythingThatMatters() {
        var store = new KeptStore<>(Ingress.class);
        Ingress ingress =
                new IngressBuilder()
                        .withNewMetadata()
                        .withName("i")
                        .withNamespace("shop")
                        .withCreationTimestamp("2026-01-01T00:00:00Z")
                        .withAnnotations(Map.of("a", "b", LAST_APPLIED, "{}"))
                        .withManagedFields(new ManagedFieldsEntry())
                        .endMetadata()
                        .build();
        store.put("shop/i", ingress);
        assertThat(store.get("shop/i")).as("shared with the handler").isSameAs(ingress);
        assertThat(ingress.getMetadata().getManagedFields()).isNullOrEmpty();
        assertThat(ingress.getMetadata().getAnnotations()).isEqualTo(Map.of("a", "b"));
        assertThat(ingress.getMetadata().getCreationTimestamp()).isEqualTo("2026-01-01T00:00:00Z");
    }

    @Test
    void theKeyThatCertManagerKeepsForItselfCannotMatter() {
        var ref = new ObjectRef("Secret", "shop", "s");
        var secret = new SecretBuilder().withNewMetadata().withName("s").endMetadata();
        assertThat(WatchedKind.SECRET.read().apply(ref, secret.build()))
                .get()
                .isInstanceOf(Resource.OfSecret.class);
        Secret pending =
                secret.editMetadata()
                        .addToLabels("cert-manager.io/next-private-key", "true")
                        .endMetadata()
                        .build();
        assertThat(WatchedKind.SECRET.read().apply(ref, pending)).isEmpty();
    }
}
