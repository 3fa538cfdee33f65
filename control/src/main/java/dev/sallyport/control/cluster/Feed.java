package dev.sallyport.control.cluster;

import dev.sallyport.control.resource.Resource;
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
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of one kind and scope, listed and then watched: fabric8's informer, told to try for
 * ever and to keep little.
 */
final class Feed<T extends HasMetadata> implements AutoCloseable {
    /*
     * Concurrency: immutable. The listener is called by threads of the informer, one call at a time
     * and in order.
     */
    private static final Logger log = LoggerFactory.getLogger(Feed.class);

    /** Objects of a page: the pages, not the store, decide what memory a start takes. */
    private static final long PAGE = 500;

    private final WatchedKind<T> kind;
    private final WatchScope scope;
    private final KubernetesClient client;
    private final WatchedPath path;
    private final Listener listener;
    private final SharedIndexInformer<T> informer;

    /** What becomes of the objects. */
    interface Listener {
        /** A list begins. */
        void listing(Feed<?> feed);

        /** The object is there; empty where it is, but cannot matter. */
        void exists(Feed<?> feed, ObjectRef ref, Optional<Resource> now);

        /** The object was deleted; {@code seen} unless only a list says so. */
        void gone(Feed<?> feed, ObjectRef ref, boolean seen);

        /** A list is read to its end. */
        void listed(Feed<?> feed);

        /** A list, or opening a watch, failed for good; it is tried again. */
        void failed(Feed<?> feed, int status, String message);
    }

    /**
     * A feed that is not started.
     *
     * @param base the path of the API server's own address; mostly empty
     */
    Feed(
            WatchedKind<T> kind,
            WatchScope scope,
            KubernetesClient client,
            String base,
            Listener listener) {
        this.kind = kind;
        this.scope = scope;
        this.client = client;
        this.path = new WatchedPath(base + kind.path(scope.namespace()), scope.fieldSelector());
        this.listener = listener;
        this.informer = informable().withLimit(PAGE).runnableInformer(0);
        informer.removeNamespaceIndex();
        informer.itemStore(new KeptStore<>(kind.type()));
        informer.exceptionHandler((_, failure) -> retry(failure));
        informer.addEventHandler(new Handler());
    }

    /** Lists, then watches; does not block. */
    void start() {
        var _ = informer.start();
    }

    /** The kind of its objects. */
    WatchedKind<T> kind() {
        return kind;
    }

    /** Which of them. */
    WatchScope scope() {
        return scope;
    }

    /** By what the connections know it. */
    WatchedPath path() {
        return path;
    }

    /**
     * The names of all objects as the API server has them now, not from its cache. Blocks.
     *
     * @throws KubernetesClientException where that fails
     */
    Set<ObjectRef> namesNow() {
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

    /** Ends it. */
    @Override
    public void close() {
        informer.stop();
    }

    /** {@code ingresses in all namespaces}. */
    @Override
    public String toString() {
        if (scope.name().isPresent()) {
            return kind.kind() + " " + scope.namespace().orElse("") + "/" + scope.name().get();
        }
        return kind.plural()
                + scope.type().map(type -> " of type " + type).orElse("")
                + (kind.namespaced()
                        ? scope.namespace()
                                .map(name -> " in namespace " + name)
                                .orElse(" in all namespaces")
                        : "");
    }

    private Informable<T> informable() {
        MixedOperation<T, ?, ? extends io.fabric8.kubernetes.client.dsl.Resource<T>> all =
                client.resources(kind.type());
        return scope.name().isPresent()
                ? all.inNamespace(scope.namespace().orElse("")).withName(scope.name().get())
                : operation();
    }

    private FilterWatchListDeletable<T, KubernetesResourceList<T>, ?> operation() {
        var all = client.resources(kind.type());
        FilterWatchListDeletable<T, KubernetesResourceList<T>, ?> scoped =
                !kind.namespaced()
                        ? all
                        : scope.namespace().isPresent()
                                ? all.inNamespace(scope.namespace().get())
                                : all.inAnyNamespace();
        return scope.type().isPresent() ? scoped.withField("type", scope.type().get()) : scoped;
    }

    private boolean retry(Throwable failure) {
        try {
            Throwable cause = failure;
            while (cause != null) {
                if (cause instanceof KubernetesClientException refused && refused.getCode() > 0) {
                    String message =
                            refused.getStatus() == null ? null : refused.getStatus().getMessage();
                    listener.failed(
                            this,
                            refused.getCode(),
                            message == null ? "status " + refused.getCode() : message);
                    return true;
                }
                cause = cause.getCause();
            }
            listener.failed(this, 0, String.valueOf(failure.getMessage()));
        } catch (RuntimeException | Error bug) {
            tell(bug);
        }
        return true;
    }

    private void tell(Throwable bug) {
        log.atError().setCause(bug).addKeyValue("watch", this).log("A bug: a change may be lost");
    }

    /** Throws nothing: an informer would leave its other handlers out, or say nothing. */
    private final class Handler implements ResourceEventHandler<T> {
        @Override
        public void onBeforeList(String version) {
            safely(() -> listener.listing(Feed.this));
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
            safely(() -> listener.gone(Feed.this, kind.ref(object), !onlyListed));
        }

        @Override
        public void onList(String version, boolean remainedEmpty) {
            safely(() -> listener.listed(Feed.this));
        }

        private void exists(T object) {
            ObjectRef ref = kind.ref(object);
            listener.exists(Feed.this, ref, kind.read().apply(ref, object));
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
