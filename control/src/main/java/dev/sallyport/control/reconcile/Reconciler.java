package dev.sallyport.control.reconcile;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.control.translate.LastGoodParameters;
import dev.sallyport.control.translate.Translation;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateReader;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The one control thread: takes what sources saw, parses changed Secrets, translates, and has the
 * data plane apply the result, if it is a new one.
 *
 * <p>Of sources that look for Secrets ({@link SecretDemand}) it keeps no Secret that nothing has
 * referred to: such a one is forgotten, its key with it, as soon as a translation shows that.
 *
 * <p>A bug that ends a round is logged and counted; the snapshot before stays in service, and the
 * next round translates everything anew.
 */
public final class Reconciler implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `reconciler`, but for the mailbox (locked),
     * the future, and what others read (volatile, immutable).
     */
    private static final Logger log = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5); // clocks may be set

    /** Between two pieces of what the data plane put off: it never takes more than half a core. */
    private static final Duration BREATH = Duration.ofMillis(20);

    private static final int FINDINGS_LOGGED = 50; // a round; the rest is in the admin API

    /** How long the first snapshot waits for the next answer about a Secret, and for all. */
    private static final Duration ANSWER = Duration.ofSeconds(5);

    private static final Duration ANSWERS = Duration.ofSeconds(60);

    private final TranslationSettings settings;
    private final DataPlane dataPlane;
    private final InstantSource time;
    private final HoldOff holdOff;
    private final CertificateCatalog catalog;
    private final CatalogSource certificates;
    private final LastGoodParameters lastGood = new LastGoodParameters();
    private final SecretDemand demand;
    private final boolean forgetful; // of Secrets: the source tells of them again when it is asked
    private final ServedLedger ledger;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> objects = new TreeMap<>();
    private final Map<String, List<Finding>> sourceFindings = new HashMap<>();
    private final Mailbox mailbox = new Mailbox();
    private final CompletableFuture<Applied> firstApplied = new CompletableFuture<>();
    private final Thread thread;
    private ShardedMap<ObjectRef, Resource> resources = ShardedMap.empty();
    private IncrementalTranslator translator;
    private volatile @Nullable Withheld
            withheld; // the first snapshot, while Secrets are looked for
    private Set<ObjectRef> unjudged = new HashSet<>(); // Secrets that nothing may refer to
    private boolean anew; // after a bug everything is translated anew
    private Map<ObjectRef, ResourceChange> unhanded =
            new LinkedHashMap<>(); // not yet part of a translation
    private final Retry retry = new Retry(); // confined to the thread
    private volatile ControlState state = ControlState.EMPTY;

    /**
     * A reconciler that is not started.
     *
     * @param demand learns which Secrets are referred to
     * @param reader parses Secrets; safe from several threads at once
     * @param parsers runs {@code reader} where there are many Secrets to parse
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates and for the state
     */
    public Reconciler(
            TranslationSettings settings,
            HoldOff holdOff,
            SecretDemand demand,
            CertificateReader reader,
            Executor parsers,
            DataPlane dataPlane,
            InstantSource time) {
        this.settings = settings;
        this.holdOff = holdOff;
        this.dataPlane = dataPlane;
        this.time = time;
        this.demand = demand;
        this.catalog = new CertificateCatalog(reader, parsers, time);
        this.forgetful = !demand.equals(SecretDemand.NONE);
        this.certificates = new CatalogSource(catalog, forgetful);
        this.translator = new IncrementalTranslator(settings, certificates, lastGood);
        this.ledger = new ServedLedger(catalog);
        this.thread = Thread.ofPlatform().name("reconciler").daemon().unstarted(this::run);
    }

    /** Starts the thread. Nothing is applied before the first {@link #submit}. */
    public void start() {
        thread.start();
    }

    /** Hands over what a source saw; the first update means that all sources are read. */
    public void submit(SourceUpdate update) {
        mailbox.put(update);
    }

    /** Completes when the data plane has applied the first snapshot. */
    public CompletableFuture<Applied> firstApplied() {
        return firstApplied.copy();
    }

    /** What the first snapshot waits for, for people; empty once it is in service. */
    public Optional<String> waitingFor() {
        Withheld waits = withheld;
        if (waits != null) {
            return Optional.of("news of " + waits.outstanding() + " Secrets that are referred to");
        }
        return firstApplied.isDone() ? Optional.empty() : Optional.of("the first snapshot");
    }

    /**
     * Has {@code listener} called after each change of {@link #state}: on the reconciler's thread,
     * which serves traffic's changes, so that it may do no more than wake another.
     */
    public void whenChanged(Runnable listener) {
        listeners.add(listener);
    }

    /** What is known now. Safe from any thread. */
    public ControlState state() {
        return state;
    }

    /** Stops the thread after the round that is running; what is in service stays. */
    @Override
    public void close() {
        mailbox.close();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true; // told on below: a half-applied snapshot helps nobody
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            awaitFirst();
            round();
            // The first round is long and says nothing of those to come: no pause follows it.
            var pacer = new Pacer(holdOff, System.nanoTime());
            awaitNext();
            while (!mailbox.isClosed()) {
                proceed(); // one piece a round, where changes leave no idle time
                mailbox.pause(pacer.delay(System.nanoTime()));
                long began = System.nanoTime();
                long published = state.published();
                round();
                long ended = System.nanoTime();
                pacer.ran(ended, Duration.ofNanos(ended - began), state.published() > published);
                awaitNext();
            }
        } catch (InterruptedException _) {
            log.atWarn().log("The reconciler's thread was interrupted and ends");
        }
    }

    private void awaitFirst() throws InterruptedException {
        while (!mailbox.isMarked() && !mailbox.isClosed()) {
            mailbox.await(LONGEST_WAIT.toNanos());
        }
    }

    private void awaitNext() throws InterruptedException {
        while (!mailbox.isMarked() && !mailbox.isClosed()) {
            Withheld waits = withheld;
            if (waits != null) {
                long now = System.nanoTime();
                long left = Math.max(waits.left(now), retry.isPending() ? retry.nanosLeft(now) : 0);
                if (left <= 0) {
                    return;
                }
                mailbox.await(left);
                continue;
            }
            Duration untilDue = Duration.between(time.instant(), catalog.nextChange());
            long untilRetry = retry.nanosLeft(System.nanoTime());
            if (untilDue.isNegative() || untilDue.isZero() || untilRetry <= 0) {
                return;
            }
            if (proceed()) {
                mailbox.await(BREATH.toNanos());
                continue;
            }
            boolean far = untilDue.compareTo(LONGEST_WAIT) > 0;
            mailbox.await(Math.min(untilRetry, (far ? LONGEST_WAIT : untilDue).toNanos()));
        }
    }

    /** Lets the data plane go on with what it put off; whether there may be more. */
    private boolean proceed() {
        try {
            Optional<Applied> now = dataPlane.proceed();
            now.filter(applied -> !applied.equals(state.applied()))
                    .ifPresent(applied ->
                            show(state.with(applied, ledger.update(applied, time.instant()))));
            return now.isPresent();
        } catch (RuntimeException | Error bug) {
            log.atError().setCause(bug).log("A bug ended what the data plane had put off");
            return false;
        }
    }

    /** The outermost handler of the thread. */
    private void round() {
        if (mailbox.isClosed()) {
            return;
        }
        long began = System.nanoTime();
        try {
            reconcile(began);
            retry.succeeded();
        } catch (RuntimeException | Error bug) {
            retry.failed(System.nanoTime());
            anew = true;
            log.atError()
                    .setCause(bug)
                    .log("A bug ended a round; what was in service before stays in service");
            ControlState before = state;
            show(
                    new ControlState(
                            before.snapshot(),
                            before.resources(),
                            before.applied(),
                            before.truth(),
                            before.ingresses(),
                            before.acmeHosts(),
                            before.remarks(),
                            objects,
                            before.sought(),
                            before.reconciles() + 1,
                            before.published(),
                            before.failures() + 1,
                            Duration.ofNanos(System.nanoTime() - began),
                            before.lastApplied()));
        }
    }

    private void reconcile(long began) {
        if (anew) {
            translator = new IncrementalTranslator(settings, certificates, lastGood);
            sourceFindings.forEach(translator::report);
            resources.forEach((_, resource) -> hand(ResourceChange.put(resource)));
            anew = false;
        }
        SourceUpdate update = mailbox.drain();
        note(update.changes());
        update.changes().forEach(change -> unhanded.put(change.ref(), change));
        update.findings()
                .forEach((step, findings) -> {
                    sourceFindings.put(step, findings);
                    translator.report(step, findings);
                });
        unhanded.values().forEach(this::hand);
        update.unreadable().stream()
                .filter(certificates::unreadable)
                .forEach(translator::secretChanged);
        catalog.advance().forEach(translator::secretChanged);
        Translation translation = translator.translate();
        unhanded = new LinkedHashMap<>(); // but for a bug before, after which they are handed again
        certificates.tell(demand);
        forgetUnread();
        ControlState before = state;
        boolean first = before.published() == 0;
        if (first && withholds()) {
            return; // what is known of Secrets so far would show default certificates
        }
        boolean publish = first || !translation.isServedBy(before.snapshot());
        GatewaySnapshot snapshot =
                publish ? translation.snapshot(before.snapshot().version() + 1) : before.snapshot();
        Applied applied = publish ? dataPlane.apply(snapshot) : before.applied();
        Instant now = time.instant();
        ServedTruth truth = ledger.update(applied, now);
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        show(
                new ControlState(
                        snapshot,
                        resources,
                        applied,
                        truth,
                        translation.ingresses(),
                        translation.acmeHosts(),
                        translation.findings(),
                        objects,
                        certificates.outstanding(),
                        before.reconciles() + 1,
                        before.published() + (publish ? 1 : 0),
                        before.failures(),
                        took,
                        publish ? Optional.of(now) : before.lastApplied()));
        if (publish) {
            log.atDebug()
                    .addKeyValue("version", snapshot.version())
                    .addKeyValue("hosts", snapshot.routes().hosts().size())
                    .addKeyValue("took", took)
                    .log("Applied a snapshot");
        }
        // Rounds before the first snapshot said nothing.
        tell(
                first ? translation.findings().sorted() : translation.appeared(),
                first ? List.of() : translation.resolved());
        firstApplied.complete(applied);
    }

    /** Whether the first snapshot waits, for Secrets that exist may not be found yet. */
    private boolean withholds() {
        int outstanding = certificates.outstanding();
        long now = System.nanoTime();
        Withheld waits = withheld;
        if (outstanding == 0) {
            withheld = null;
        } else if (waits == null) {
            withheld = new Withheld(outstanding, now + ANSWER.toNanos(), now + ANSWERS.toNanos());
        } else if (waits.left(now) <= 0) {
            log.atWarn()
                    .addKeyValue("secrets", outstanding)
                    .log("Nothing is heard of Secrets that are referred to; serving without them");
            withheld = null;
        } else if (outstanding < waits.outstanding()) {
            withheld = new Withheld(outstanding, now + ANSWER.toNanos(), waits.end());
        }
        return withheld != null;
    }

    /**
     * The first snapshot waits for answers about Secrets.
     *
     * @param outstanding how many are still to come
     * @param next when the next answer must have come, in nanoseconds
     * @param end when all must have come
     */
    private record Withheld(int outstanding, long next, long end) {
        long left(long now) {
            return Math.min(next - now, end - now);
        }
    }

    /** When a round that a bug ended is tried again, though nothing changed: it may have passed. */
    private static final class Retry {
        private static final Duration FIRST = Duration.ofSeconds(1);
        private static final Duration LONGEST = Duration.ofMinutes(1);

        private Duration pause = FIRST;
        private @Nullable Long due;

        void succeeded() {
            pause = FIRST;
            due = null;
        }

        void failed(long now) {
            due = now + pause.toNanos();
            Duration doubled = pause.multipliedBy(2);
            pause = doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
        }

        boolean isPending() {
            return due != null;
        }

        long nanosLeft(long now) {
            Long at = due;
            return at == null ? Long.MAX_VALUE : at - now;
        }
    }

    private void show(ControlState now) {
        state = now;
        listeners.forEach(Runnable::run);
    }

    private void note(List<ResourceChange> changes) {
        Map<ObjectRef, @Nullable Resource> news = HashMap.newHashMap(changes.size());
        for (ResourceChange change : changes) {
            news.put(change.ref(), change.now().orElse(null));
        }
        news.forEach((ref, now) -> {
            int more = (now == null ? 0 : 1) - (resources.get(ref) == null ? 0 : 1);
            if (more != 0 && !ref.kind().equals("Gateway")) { // what it made itself
                objects.merge(ref.kind(), more, Integer::sum);
            }
        });
        resources = resources.with(news);
    }

    private void hand(ResourceChange change) {
        ObjectRef ref = change.ref();
        if (!ref.kind().equals("Secret")) {
            translator.accept(change);
            return;
        }
        boolean changed;
        if (change.now().orElse(null) instanceof Resource.OfSecret secret) {
            changed = catalog.put(secret.material());
            if (forgetful) {
                unjudged.add(ref);
            }
        } else {
            changed = catalog.remove(ref);
        }
        if (certificates.answered(ref) || changed) {
            translator.secretChanged(ref);
        }
    }

    /** After a translation, which refers to all Secrets that count. */
    private void forgetUnread() {
        List<ResourceChange> forgotten =
                unjudged.stream()
                        .filter(catalog::forgetUnread)
                        .map(ResourceChange::remove)
                        .toList();
        unjudged = new HashSet<>(); // clearing costs what it once held
        note(forgotten);
    }

    private static void tell(List<Finding> appeared, List<Finding> resolved) {
        appeared.stream().limit(FINDINGS_LOGGED).forEach(finding -> tell(finding, "Finding"));
        resolved.stream()
                .limit(FINDINGS_LOGGED)
                .forEach(finding -> tell(finding, "Finding resolved"));
        int more =
                Math.max(0, appeared.size() - FINDINGS_LOGGED)
                        + Math.max(0, resolved.size() - FINDINGS_LOGGED);
        if (more > 0) {
            log.atWarn().addKeyValue("more", more).log("Further findings are not logged");
        }
    }

    private static void tell(Finding finding, String message) {
        boolean good = message.equals("Finding resolved");
        Level level =
                switch (finding.severity()) {
                    case ERROR, WARNING -> good ? Level.INFO : Level.WARN;
                    case INFO -> Level.INFO;
                };
        log.atLevel(level)
                .addKeyValue("reason", finding.reason().camelCase())
                .addKeyValue("object", finding.object())
                .addKeyValue("place", finding.location().map(Object::toString).orElse(""))
                .addKeyValue("text", finding.message())
                .log(message);
    }
}
