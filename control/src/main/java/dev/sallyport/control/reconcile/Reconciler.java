package dev.sallyport.control.reconcile;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.control.translate.Translation;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateReader;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The one control thread: takes what sources saw, parses changed Secrets, translates, and has the
 * data plane apply the result, if it is a new one.
 *
 * <p>A bug that ends a round is logged and counted; the snapshot before stays in service, and the
 * next round translates everything anew.
 */
public final class Reconciler implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `reconciler`, but for the mailbox (locked),
     * the published state (volatile, immutable) and the future.
     */
    private static final Logger log = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(60); // clocks may be set

    /** Between two pieces of what the data plane put off: it never takes more than half a core. */
    private static final Duration BREATH = Duration.ofMillis(20);

    private static final int FINDINGS_LOGGED = 50; // a round; the rest is in the admin API

    private final TranslationSettings settings;
    private final DataPlane dataPlane;
    private final InstantSource time;
    private final HoldOff holdOff;
    private final CertificateCatalog catalog;
    private final Map<ObjectRef, Resource> resources = new HashMap<>();
    private final Map<String, Integer> objects = new TreeMap<>();
    private final Map<String, List<Finding>> sourceFindings = new HashMap<>();
    private final Mailbox mailbox = new Mailbox();
    private final CompletableFuture<Applied> firstApplied = new CompletableFuture<>();
    private final Thread thread;
    private IncrementalTranslator translator;
    private volatile ControlState state = ControlState.EMPTY;

    /**
     * A reconciler that is not started.
     *
     * @param reader parses Secrets; safe from several threads at once
     * @param parsers runs {@code reader} where there are many Secrets to parse
     * @param dataPlane called on the reconciler's thread only
     * @param time for the validity of certificates and for the state
     */
    public Reconciler(
            TranslationSettings settings,
            HoldOff holdOff,
            CertificateReader reader,
            Executor parsers,
            DataPlane dataPlane,
            InstantSource time) {
        this.settings = settings;
        this.holdOff = holdOff;
        this.dataPlane = dataPlane;
        this.time = time;
        this.catalog = new CertificateCatalog(reader, parsers, time);
        this.translator = new IncrementalTranslator(settings, new CatalogSource(catalog));
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
                round();
                long ended = System.nanoTime();
                pacer.ran(ended, Duration.ofNanos(ended - began));
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
            Duration untilDue = Duration.between(time.instant(), catalog.nextChange());
            if (untilDue.isNegative() || untilDue.isZero()) {
                return;
            }
            if (proceed()) {
                mailbox.await(BREATH.toNanos());
                continue;
            }
            boolean far = untilDue.compareTo(LONGEST_WAIT) > 0;
            mailbox.await((far ? LONGEST_WAIT : untilDue).toNanos());
        }
    }

    /** Lets the data plane go on with what it put off; whether there may be more. */
    private boolean proceed() {
        try {
            Optional<Applied> now = dataPlane.proceed();
            now.filter(applied -> !applied.equals(state.applied()))
                    .ifPresent(applied -> state = state.with(applied));
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
        } catch (RuntimeException | Error bug) {
            log.atError()
                    .setCause(bug)
                    .log("A bug ended a round; what was in service before stays in service");
            translator = new IncrementalTranslator(settings, new CatalogSource(catalog));
            resources.values().forEach(resource -> hand(ResourceChange.put(resource)));
            sourceFindings.forEach(translator::report);
            ControlState before = state;
            state =
                    new ControlState(
                            before.snapshot(),
                            before.applied(),
                            before.remarks(),
                            objects,
                            before.reconciles() + 1,
                            before.published(),
                            before.failures() + 1,
                            Duration.ofNanos(System.nanoTime() - began),
                            before.lastApplied());
        }
    }

    private void reconcile(long began) {
        SourceUpdate update = mailbox.drain();
        update.changes().forEach(this::note);
        update.findings()
                .forEach((step, findings) -> {
                    sourceFindings.put(step, findings);
                    translator.report(step, findings);
                });
        update.changes().forEach(this::hand);
        catalog.advance().forEach(translator::secretChanged);
        Translation translation = translator.translate();
        ControlState before = state;
        boolean publish = before.published() == 0 || !translation.isServedBy(before.snapshot());
        GatewaySnapshot snapshot =
                publish ? translation.snapshot(before.snapshot().version() + 1) : before.snapshot();
        Applied applied = publish ? dataPlane.apply(snapshot) : before.applied();
        Optional<Instant> lastApplied =
                publish ? Optional.of(time.instant()) : before.lastApplied();
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        state =
                new ControlState(
                        snapshot,
                        applied,
                        translation.findings(),
                        objects,
                        before.reconciles() + 1,
                        before.published() + (publish ? 1 : 0),
                        before.failures(),
                        took,
                        lastApplied);
        tell(translation, snapshot, publish, took);
        firstApplied.complete(applied);
    }

    private void note(ResourceChange change) {
        String kind = change.ref().kind();
        Resource before =
                change.now().isPresent()
                        ? resources.put(change.ref(), change.now().get())
                        : resources.remove(change.ref());
        int more = (change.now().isPresent() ? 1 : 0) - (before == null ? 0 : 1);
        if (more != 0) {
            objects.merge(kind, more, Integer::sum);
        }
    }

    private void hand(ResourceChange change) {
        if (change.now().orElse(null) instanceof Resource.OfSecret secret) {
            if (catalog.put(secret.material())) {
                translator.secretChanged(change.ref());
            }
        } else if (change.ref().kind().equals("Secret")) {
            if (catalog.remove(change.ref())) {
                translator.secretChanged(change.ref());
            }
        } else {
            translator.accept(change);
        }
    }

    private static void tell(
            Translation translation, GatewaySnapshot snapshot, boolean publish, Duration took) {
        if (publish) {
            log.atDebug()
                    .addKeyValue("version", snapshot.version())
                    .addKeyValue("hosts", snapshot.routes().hosts().size())
                    .addKeyValue("took", took)
                    .log("Applied a snapshot");
        }
        translation.appeared().stream()
                .limit(FINDINGS_LOGGED)
                .forEach(finding -> tell(finding, "Finding"));
        translation.resolved().stream()
                .limit(FINDINGS_LOGGED)
                .forEach(finding -> tell(finding, "Finding resolved"));
        int more =
                Math.max(0, translation.appeared().size() - FINDINGS_LOGGED)
                        + Math.max(0, translation.resolved().size() - FINDINGS_LOGGED);
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
