package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.fabric8.kubernetes.api.model.PartialObjectMetadataList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of one kind and scope, listed and then watched: fabric8's informer, told to try for
 * ever and to keep little.
 */
final class InformerFeed<T extends HasMetadata> implements Feed {
    /*
     * Concurrency: immutable. The listener is called by threads of the informer, one call at a time
     * and in order.
     */
    private static final Logger log = LoggerFactory.getLogger(InformerFeed.class);

    /** Objects of a page: the pages, not the store, decide what memory a start takes. */
    private static final long PAGE = 500;

    private final Watched<T> watched;
    private final WatchedKind<T> kind;
    private final WatchScope scope;
    private final KubernetesClient client;
    private final Contacts contacts;
    private final WatchedPath path;
    private final Listener listener;
    private final SharedIndexInformer<T> informer;

    /**
     * A feed that is not started.
     *
     * @param path by which {@code contacts} knows its connections
     */
    InformerFeed(
            Watched<T> watched,
            KubernetesClient client,
            Contacts contacts,
            WatchedPath path,
            Listener listener) {
        this.watched = watched;
        this.kind = watched.kind();
        this.scope = watched.scope();
        this.client = client;
        this.contacts = contacts;
        this.path = path;
        this.listener = listener;
        this.informer = informable().withLimit(PAGE).runnableInformer(0);
        informer.removeNamespaceIndex();
        informer.itemStore(new KeptStore<>(kind.type()));
        informer.exceptionHandler((_, failure) -> retry(failure));
        informer.addEventHandler(new Handler());
    }

    @Override
    public Watched<T> watched() {
        return watched;
    }

    @Override
    public void start() {
        contacts.expect(path);
        var _ = informer.start();
    }

    @Override
    public Set<ObjectRef> namesNow() {
        Set<ObjectRef> names = new HashSet<>();
        String next = null;
        do {
            ListOptions page = new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build();
            PartialObjectMetadataList list = operation().listAsPartialObjectMetadata(page);
            List<PartialObjectMetadata> items = list.getItems();
            if (items != null) { // an empty list has none
                items.forEach(item -> names.add(kind.ref(item)));
            }
            next = list.getMetadata().getContinue();
        } while (next != null && !next.isEmpty());
        return names;
    }

    @Override
    public void close() {
        informer.stop();
        contacts.forget(path);
    }

    @Override
    public String toString() {
        return watched.toString();
    }

    private Informable<T> informable() {
        MixedOperation<T, ?, ? extends io.fabric8.kubernetes.client.dsl.Resource<T>> all =
                client.resources(kind.type());
        if (scope.name().isEmpty()) {
            return operation();
        }
        return kind.namespaced()
                ? all.inNamespace(scope.namespace().orElse("")).withName(scope.name().get())
                : all.withName(scope.name().get());
    }

    private FilterWatchListDeletable<T, KubernetesResourceList<T>, ?> operation() {
        var all = client.resources(kind.type());
        FilterWatchListDeletable<T, KubernetesResourceList<T>, ?> scoped =
                !kind.namespaced()
                        ? all
                        : scope.namespace().isPresent()
                                ? all.inNamespace(scope.namespace().get())
                                : all.inAnyNamespace();
        if (scope.name().isPresent()) {
            return scoped.withField("metadata.name", scope.name().get());
        }
        return scope.type().isPresent() ? scoped.withField("type", scope.type().get()) : scoped;
    }

    private boolean retry(Throwable failure) {
        try {
            Trouble trouble = trouble(failure);
            contacts.failed(path, trouble);
            listener.failed(this, trouble);
        } catch (RuntimeException | Error bug) {
            tell(bug);
        }
        return true;
    }

    /** What the API server said, where it said anything. */
    static Trouble trouble(Throwable failure) {
        Throwable cause = failure;
        while (cause != null) {
            if (cause instanceof KubernetesClientException refused && refused.getCode() > 0) {
                String message =
                        refused.getStatus() == null ? null : refused.getStatus().getMessage();
                return new Trouble(refused.getCode(), message == null ? "" : message);
            }
            cause = cause.getCause();
        }
        return new Trouble(0, String.valueOf(failure.getMessage()));
    }

    private void tell(Throwable bug) {
        log.atError().setCause(bug).addKeyValue("watch", this).log("A bug: a change may be lost");
    }

    /** Throws nothing: an informer would leave its other handlers out, or say nothing. */
    private final class Handler implements ResourceEventHandler<T> {
        @Override
        public void onBeforeList(String version) {
            safely(() -> listener.listing(InformerFeed.this));
        }

        @Override
        public void onAdd(T object) {
            safely(() -> exists(object));
        }

        @Override
        public void onUpdate(T before, T object) {
            safely(() -> exists(object));
        }

        @Override
        public void onDelete(T object, boolean onlyListed) {
            safely(() -> listener.gone(InformerFeed.this, kind.ref(object), !onlyListed));
        }

        @Override
        public void onList(String version, boolean remainedEmpty) {
            safely(() -> listener.listed(InformerFeed.this));
        }

        private void exists(T object) {
            ObjectRef ref = kind.ref(object);
            listener.exists(InformerFeed.this, ref, kind.read().apply(ref, object));
        }

        private void safely(Runnable action) {
            try {
                action.run();
            } catch (RuntimeException | Error bug) {
                tell(bug);
            }
        }
    }
}
