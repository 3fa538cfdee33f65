package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.URI;
import java.util.Optional;

/** An API server as fabric8's client and informers see it. Immutable. */
final class InformerCluster implements Cluster {
    private final ClusterClient client;
    private final KubernetesClient reader; // what waits for its turn there delays no list or watch
    private final String base;

    InformerCluster(ClusterClient client) {
        this.client = client;
        this.reader = client.hastyClient();
        String path = URI.create(client.url()).getPath();
        this.base = path == null ? "" : path.replaceFirst("/+$", "");
    }

    @Override
    public String url() {
        return client.url();
    }

    @Override
    public Feed feed(Watched<?> watched, Feed.Listener listener) {
        return informer(watched, listener);
    }

    private <T extends HasMetadata> Feed informer(Watched<T> watched, Feed.Listener listener) {
        return new InformerFeed<>(
                watched, client.client(), client.contacts(), watched.path(base), listener);
    }

    @Override
    public Contact contact(Watched<?> watched) {
        return client.contacts().of(watched.path(base));
    }

    @Override
    public Optional<Resource> read(ObjectRef secret) throws Refused {
        try {
            Secret found =
                    reader.secrets().inNamespace(secret.namespace()).withName(secret.name()).get();
            return Optional.ofNullable(found)
                    .flatMap(it -> WatchedKind.SECRET.read().apply(secret, it));
        } catch (KubernetesClientException failed) {
            throw new Refused(InformerFeed.trouble(failed));
        }
    }
}
