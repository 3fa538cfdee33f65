package dev.sallyport.control.cluster;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.client.informers.cache.BasicItemStore;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What an informer keeps of each object: no field managers but those of a status, by which we know
 * our own, no copy of the last apply, and of a Secret its name and version only. The handler is
 * given the whole object once.
 */
final class KeptStore<T extends HasMetadata> extends BasicItemStore<T> {
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

    private final Class<T> type;

    KeptStore(Class<T> type) {
        super(Cache::metaNamespaceKeyFunc);
        this.type = type;
    }

    @Override
    public T put(String key, T object) {
        if (object instanceof Secret secret) {
            return super.put(key, type.cast(nameOf(secret)));
        }
        strip(object.getMetadata(), object instanceof Ingress);
        return super.put(key, object);
    }

    /** The handler's objects must not be read back from here. */
    @Override
    public boolean isFullState() {
        return false;
    }

    private static Secret nameOf(Secret secret) {
        ObjectMeta metadata = secret.getMetadata();
        var name = new Secret();
        name.setMetadata(
                new ObjectMetaBuilder()
                        .withNamespace(metadata.getNamespace())
                        .withName(metadata.getName())
                        .withResourceVersion(metadata.getResourceVersion())
                        .build());
        return name;
    }

    private static void strip(ObjectMeta metadata, boolean withStatus) {
        List<ManagedFieldsEntry> managed = metadata.getManagedFields();
        metadata.setManagedFields(
                managed == null || !withStatus
                        ? null
                        : managed.stream().filter(KeptStore::appliedStatus).toList());
        Map<String, String> annotations = metadata.getAnnotations();
        if (annotations != null && annotations.containsKey(LAST_APPLIED)) {
            Map<String, String> others = new HashMap<>(annotations);
            others.remove(LAST_APPLIED);
            metadata.setAnnotations(others);
        }
    }

    private static boolean appliedStatus(ManagedFieldsEntry entry) {
        return "Apply".equals(entry.getOperation()) && "status".equals(entry.getSubresource());
    }
}
