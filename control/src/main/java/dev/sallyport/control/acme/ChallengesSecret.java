package dev.sallyport.control.acme;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.resource.AcmeAnswer;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one Secret by which the leader tells all replicas what they are to show to CAs. It also owns
 * all Secrets that ACME makes: to delete it is to delete them. One of its name that is somebody
 * else's is neither read nor written.
 */
final class ChallengesSecret implements AutoCloseable {
    /*
     * Concurrency: `show` from any thread; writing is confined to the thread `acme-challenges`,
     * reading to the informer's.
     */
    private static final Logger log = LoggerFactory.getLogger(ChallengesSecret.class);
    private static final String CHALLENGES = "challenges";
    private static final String ENTRY = "challenges";
    private static final Duration RETRY = Duration.ofMillis(250);

    /** Somebody else's does not go by itself; that it is deleted is told at once. */
    private static final Duration RETRY_FOREIGN = Duration.ofSeconds(10);

    /** What the leader before showed goes on being shown while its orders may be looked at. */
    private static final Duration INHERITED = Duration.ofMinutes(5);

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String namespace;
    private final OwnSecrets own;
    private final String name;
    private final BooleanSupplier leads;
    private final AtomicReference<@Nullable List<AcmeAnswer>> wanted = new AtomicReference<>();
    private final Semaphore woken = new Semaphore(0);
    private final Thread writer;
    private volatile @Nullable String uid;
    private @Nullable SharedIndexInformer<Secret> informer;
    private @Nullable Secret last; // confined
    private List<AcmeAnswer> inherited = List.of(); // confined
    private long inheritedUntil; // confined
    private volatile boolean gone; // whether it was seen to be deleted
    private boolean led; // confined
    private boolean failing; // confined
    private Duration retry = RETRY; // confined

    /**
     * @param client one that fails early; stays the caller's
     * @param calls bounds each request
     * @param own whose it is
     * @param leads whether this process may write
     */
    ChallengesSecret(
            KubernetesClient client,
            BoundedCalls calls,
            String namespace,
            OwnSecrets own,
            BooleanSupplier leads) {
        this.client = client;
        this.calls = calls;
        this.namespace = namespace;
        this.own = own;
        this.name = own.ownerName();
        this.leads = leads;
        this.writer = Thread.ofPlatform().name("acme-challenges").daemon().unstarted(this::write);
    }

    /**
     * Watches it, and starts the thread {@code acme-challenges}.
     *
     * @param watcher one whose watches come back by themselves
     * @param shown told what is to be shown, all of it, whenever that changes
     */
    void start(KubernetesClient watcher, Consumer<List<AcmeAnswer>> shown) {
        SharedIndexInformer<Secret> watching =
                watcher.secrets().inNamespace(namespace).withName(name).runnableInformer(0);
        informer = watching;
        watching.exceptionHandler((_, _) -> true);
        watching.addEventHandler(new Handler(shown));
        var _ = watching.start();
        writer.start();
    }

    /** What all replicas are to show from now on. Returns at once. */
    void show(List<AcmeAnswer> answers) {
        wanted.set(answers);
        woken.release();
    }

    /** For what is to go when it goes; empty where it is not known to be there. */
    Optional<OwnerReference> owner() {
        return Optional.ofNullable(uid)
                .map(known ->
                        new OwnerReferenceBuilder()
                                .withApiVersion("v1")
                                .withKind("Secret")
                                .withName(name)
                                .withUid(known)
                                .build());
    }

    /** Where this process leads now, the Secret is to be there. */
    void leadershipChanged() {
        wanted.compareAndSet(null, List.of());
        woken.release();
    }

    @Override
    public void close() {
        writer.interrupt();
        SharedIndexInformer<Secret> watching = informer;
        if (watching != null) {
            watching.stop();
        }
    }

    private void write() {
        try {
            while (true) {
                woken.acquire();
                woken.drainPermits();
                while (!written()) {
                    boolean _ = woken.tryAcquire(retry.toMillis(), TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    /** Whether nothing is left to be written. */
    private boolean written() throws InterruptedException {
        List<AcmeAnswer> answers = wanted.get();
        if (answers == null || !leads.getAsBoolean()) {
            led = false;
            return true;
        }
        if (gone) {
            gone = false;
            last = null; // somebody deleted it: it is made anew
        }
        try {
            if (!led) {
                inherit();
            }
            replace(with(answers));
            failing = false;
            return true;
        } catch (RuntimeException failed) {
            last = null; // read again
            Duration pause = failed instanceof Foreign ? RETRY_FOREIGN : RETRY;
            if (!failing || !pause.equals(retry)) {
                failing = true;
                retry = pause;
                log.atWarn()
                        .addKeyValue("secret", namespace + "/" + name)
                        .addKeyValue("answer", ApiFault.answer(failed))
                        .log("challenges cannot be shown yet; it is tried again");
            }
            return false;
        }
    }

    private void inherit() throws InterruptedException {
        last = read();
        inherited = last == null ? List.of() : answers(last);
        inheritedUntil = System.nanoTime() + INHERITED.toNanos();
        led = true;
    }

    private byte[] with(List<AcmeAnswer> answers) {
        Set<AcmeAnswer> all = new LinkedHashSet<>(answers);
        if (inheritedUntil - System.nanoTime() > 0) {
            all.addAll(inherited);
        }
        return AnswerLines.of(new ArrayList<>(all));
    }

    private void replace(byte[] lines) throws InterruptedException {
        Secret before = last;
        if (before == null) {
            before = read();
        }
        if (before != null && Arrays.equals(lines, lines(before))) {
            note(before);
            return;
        }
        SecretBuilder now =
                before == null
                        ? new SecretBuilder()
                                .withNewMetadata()
                                .withNamespace(namespace)
                                .withName(name)
                                .endMetadata()
                                .withType("Opaque")
                        : new SecretBuilder(before);
        Secret wanted =
                now.editMetadata()
                        .addToLabels(own.labels(CHALLENGES))
                        .endMetadata()
                        .withData(Map.of(ENTRY, Base64.getEncoder().encodeToString(lines)))
                        .build();
        boolean isNew = before == null;
        Secret made =
                calls.make(() ->
                        isNew
                                ? client.resource(wanted).create()
                                : client.resource(wanted).update());
        note(Objects.requireNonNull(made));
    }

    /** As it is now; null where there is none. */
    private @Nullable Secret read() throws InterruptedException {
        Secret now = calls.make(secret()::get);
        if (now != null && !own.isOurs(now)) {
            throw new Foreign(own.refusal(namespace, name));
        }
        return now;
    }

    /** There is one of the name that is somebody else's. */
    private static final class Foreign extends RuntimeException {
        private static final long serialVersionUID = 1;

        Foreign(String message) {
            super(message);
        }
    }

    private void note(Secret now) {
        last = now;
        uid = now.getMetadata().getUid();
    }

    private Resource<Secret> secret() {
        return client.secrets().inNamespace(namespace).withName(name);
    }

    private static byte[] lines(Secret secret) {
        String data = secret.getData() == null ? null : secret.getData().get(ENTRY);
        try {
            return data == null ? new byte[0] : Base64.getDecoder().decode(data);
        } catch (IllegalArgumentException notBase64) {
            return new byte[0];
        }
    }

    private static List<AcmeAnswer> answers(Secret secret) {
        return AnswerLines.read(lines(secret));
    }

    private final class Handler implements ResourceEventHandler<Secret> {
        private final Consumer<List<AcmeAnswer>> shown;

        Handler(Consumer<List<AcmeAnswer>> shown) {
            this.shown = shown;
        }

        @Override
        public void onAdd(Secret secret) {
            boolean ours = own.isOurs(secret);
            uid = ours ? secret.getMetadata().getUid() : null;
            shown.accept(ours ? answers(secret) : List.of());
        }

        @Override
        public void onUpdate(Secret before, Secret now) {
            onAdd(now);
        }

        @Override
        public void onDelete(Secret secret, boolean unknown) {
            uid = null;
            gone = true;
            woken.release();
            shown.accept(List.of());
        }
    }
}
