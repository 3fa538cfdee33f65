package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** An API server that says what a test tells it to. */
final class FakeCluster implements Cluster {
    private final Map<Watched<?>, FakeFeed> open = new ConcurrentHashMap<>();
    private final Map<Watched<?>, Contact> contacts = new ConcurrentHashMap<>();
    private final Map<ObjectRef, Trouble> unreadable = new ConcurrentHashMap<>();
    private final List<ObjectRef> reads = new CopyOnWriteArrayList<>();
    private final List<ObjectRef> started = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch silence = new CountDownLatch(0);

    @Override
    public String url() {
        return "https://api:6443";
    }

    @Override
    public Feed feed(Watched<?> watched, Feed.Listener listener) {
        return new FakeFeed(watched, listener);
    }

    @Override
    public Contact contact(Watched<?> watched) {
        return contacts.getOrDefault(watched, Contact.NONE);
    }

    @Override
    public Optional<Resource> read(ObjectRef secret) throws Refused {
        reads.add(secret);
        try {
            silence.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        Trouble trouble = unreadable.get(secret);
        if (trouble != null) {
            throw new Refused(trouble);
        }
        return Optional.empty();
    }

    /** The feed that is open now. */
    FakeFeed feed(Watched<?> watched) {
        FakeFeed feed = open.get(watched);
        if (feed == null) {
            throw new AssertionError("no watch of " + watched + " among " + open.keySet());
        }
        return feed;
    }

    FakeFeed feed(WatchedKind<?> kind) {
        WatchScope scope =
                kind.equals(WatchedKind.SECRET)
                        ? WatchScope.EVERYWHERE.withType("kubernetes.io/tls")
                        : WatchScope.EVERYWHERE;
        return feed(new Watched<>(kind, scope));
    }

    FakeFeed feed(ObjectRef secret) {
        return feed(single(secret));
    }

    static Watched<?> single(ObjectRef secret) {
        return new Watched<>(WatchedKind.SECRET, WatchScope.of(secret.namespace(), secret.name()));
    }

    boolean isOpen(Watched<?> watched) {
        return open.containsKey(watched);
    }

    boolean isOpen(ObjectRef secret) {
        return isOpen(single(secret));
    }

    /** What is watched now. */
    Set<Watched<?>> open() {
        return Set.copyOf(open.keySet());
    }

    /** The Secrets whose watches were started, in order. */
    List<ObjectRef> started() {
        return List.copyOf(started);
    }

    void contact(Watched<?> watched, Contact contact) {
        contacts.put(watched, contact);
    }

    void unreadable(ObjectRef secret, Trouble trouble) {
        unreadable.put(secret, trouble);
    }

    /** Reads are not answered until {@link #answerReads}. */
    void holdReads() {
        silence = new CountDownLatch(1);
    }

    void answerReads() {
        silence.countDown();
    }

    List<ObjectRef> reads() {
        return List.copyOf(reads);
    }

    static ObjectRef secretRef(String name) {
        return new ObjectRef("Secret", "default", name);
    }

    static Resource secret(String name, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        return new Resource.OfSecret(
                SecretMaterial.of(secretRef(name), Optional.empty(), bytes, bytes),
                Origin.API_SERVER);
    }

    static Resource ingress(String name) {
        return new Resource.OfIngress(
                new ObjectRef("Ingress", "default", name), new Ingress(), Origin.API_SERVER);
    }

    static Resource namespace(String name) {
        return new Resource.OfNamespace(
                new ObjectRef("Namespace", "", name), new Namespace(), Origin.API_SERVER);
    }

    /** A watch in the hands of a test. */
    final class FakeFeed implements Feed {
        private final Watched<?> watched;
        private final Listener listener;
        private volatile Optional<Set<ObjectRef>> names = Optional.of(Set.of());

        FakeFeed(Watched<?> watched, Listener listener) {
            this.watched = watched;
            this.listener = listener;
        }

        @Override
        public Watched<?> watched() {
            return watched;
        }

        @Override
        public void start() {
            open.put(watched, this);
            watched.scope().name().ifPresent(name -> started.add(secretRef(name)));
        }

        @Override
        public void close() {
            open.remove(watched, this);
        }

        @Override
        public Set<ObjectRef> namesNow() {
            return names.orElseThrow();
        }

        /** What a second list would say; empty where it fails. */
        void secondList(Optional<Set<ObjectRef>> says) {
            names = says;
        }

        /** The list, of things that are new or changed. */
        FakeFeed list(Resource... resources) {
            listener.listing(this);
            List.of(resources).forEach(this::put);
            listener.listed(this);
            return this;
        }

        /** A list begins, of which things are told by {@link #put}. */
        void begin() {
            listener.listing(this);
        }

        /** It is read to its end. */
        void end() {
            listener.listed(this);
        }

        /** A list after a gap that lacks these. */
        void relistWithout(ObjectRef... gone) {
            listener.listing(this);
            new HashSet<>(List.of(gone)).forEach(ref -> listener.gone(this, ref, false));
            listener.listed(this);
        }

        void put(Resource resource) {
            listener.exists(this, resource.ref(), Optional.of(resource));
        }

        void irrelevant(ObjectRef ref) {
            listener.exists(this, ref, Optional.empty());
        }

        void delete(ObjectRef ref) {
            listener.gone(this, ref, true);
        }

        void fail(int status, String text) {
            var trouble = new Trouble(status, text);
            contact(watched, new Contact(false, false, Optional.empty(), Optional.of(trouble)));
            listener.failed(this, trouble);
        }
    }
}
