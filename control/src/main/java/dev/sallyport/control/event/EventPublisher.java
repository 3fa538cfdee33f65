package dev.sallyport.control.event;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.call.Tokens;
import dev.sallyport.control.event.EventLedger.Telling;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ServedTruth.Provenance;
import dev.sallyport.control.translate.FindingIndex;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells by Events what is wrong with objects, what is no longer, and what is served, while this
 * replica leads. It works on what changed between two states of the reconciler, so that it can be
 * late without holding anybody up.
 */
public final class EventPublisher implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `events`, but for the counts and `closed`.
     */
    private static final Logger log = LoggerFactory.getLogger(EventPublisher.class);
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(1);
    private static final int NAMES_TOLD = 3;
    private static final int MOST_NEWS = 10_000;

    /** How the API server refuses new objects in a namespace that is being deleted. */
    private static final String TERMINATING = "being terminated";

    private final Supplier<ControlState> states;
    private final BooleanSupplier leads;
    private final EventApi api;
    private final EventPace pace;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final Thread thread;
    private final Map<String, LongAdder> told = new ConcurrentHashMap<>();
    private final LinkedBlockingQueue<News> happened = new LinkedBlockingQueue<>(MOST_NEWS);
    private final LongAdder unheard = new LongAdder(); // of these
    private volatile long dropped;
    private volatile boolean closed;

    private EventLedger ledger;
    private final Tokens tokens;
    private final Map<String, Long> shut =
            new HashMap<>(); // namespaces without the right, until when
    private @Nullable ControlState compared; // null: does not lead
    private long droppedBefore; // by ledgers of before
    private long refusals; // for want of a right; tried again all the while
    private int troubles; // in a row
    private long pausedUntil;

    /**
     * What was told since the start.
     *
     * @param told by reason
     * @param dropped what was not, because there was too much of it or the API server did not take
     *     it
     */
    public record Counts(Map<String, Long> told, long dropped) {
        /** Nothing yet. */
        public static final Counts NONE = new Counts(Map.of(), 0);

        public Counts {
            told = Map.copyOf(told);
        }
    }

    EventPublisher(
            Supplier<ControlState> states,
            BooleanSupplier leads,
            EventApi api,
            EventPace pace,
            LongSupplier nanoTime,
            RandomGenerator random) {
        this.states = states;
        this.leads = leads;
        this.api = api;
        this.pace = pace;
        this.nanoTime = nanoTime;
        this.random = random;
        long now = nanoTime.getAsLong();
        this.ledger = new EventLedger(pace);
        this.tokens = new Tokens(pace.atOnce(), pace.perSecond(), now);
        this.pausedUntil = now;
        this.thread = Thread.ofPlatform().name("events").daemon().unstarted(this::run);
    }

    /**
     * A publisher that is not started.
     *
     * @param states the reconciler's, as it is by now; safe from any thread
     * @param leads whether this replica is to write
     * @param client one that does not retry; stays the caller's
     * @param instance of the gateway: the Pod's name
     * @param time for what people read
     */
    public static EventPublisher of(
            Supplier<ControlState> states,
            BooleanSupplier leads,
            KubernetesClient client,
            String instance,
            InstantSource time,
            RandomGenerator random) {
        EventPace pace = EventPace.DEFAULT;
        return new EventPublisher(
                states,
                leads,
                new ApiEvents(client, new BoundedCalls(pace.call()), instance, time),
                pace,
                System::nanoTime,
                random);
    }

    /** Starts the thread {@code events}. */
    public void start() {
        thread.start();
    }

    /** Something may have changed. Safe from any thread; does not block. */
    public void wake() {
        LockSupport.unpark(thread);
    }

    /**
     * Something was done, which is told if this replica leads and the object is one that it knows.
     * Safe from any thread; does not block.
     */
    public void tell(News news) {
        if (!happened.offer(news)) {
            unheard.increment();
        }
        wake();
    }

    /** What was told. Safe from any thread. */
    public Counts counts() {
        Map<String, Long> counts = new TreeMap<>();
        told.forEach((reason, count) -> counts.put(reason, count.sum()));
        return new Counts(counts, dropped);
    }

    /** Stops; waits for the request under way as long as one takes. */
    @Override
    public void close() {
        closed = true;
        wake();
        try {
            if (!thread.join(pace.call())) {
                thread.interrupt();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                try {
                    LockSupport.parkNanos(round());
                } catch (RuntimeException | Error bug) {
                    log.atError().setCause(bug).log("A bug ended a round of writing Events");
                    forget();
                    LockSupport.parkNanos(LONGEST_SLEEP.toNanos());
                }
            }
        } catch (InterruptedException _) {
            log.atDebug().log("The writing of Events was interrupted");
        }
    }

    /** Does what can be done; how long to sleep then. */
    private long round() throws InterruptedException {
        if (!leads.getAsBoolean()) {
            forget();
            happened.clear(); // whoever leads has done it
            return LONGEST_SLEEP.toNanos();
        }
        long now = nanoTime.getAsLong();
        compare(now);
        hear(now);
        boolean sent = false;
        if (now - pausedUntil >= 0 && tokens.nanosToNext(now) == 0) {
            Telling telling = ledger.next(now).orElse(null);
            if (telling != null) {
                sent = true;
                tell(telling);
            }
        }
        dropped = droppedBefore + refusals + unheard.sum() + ledger.dropped();
        if (sent) {
            return 0; // something may have happened meanwhile: news before the old
        }
        long wait =
                Math.max(
                        ledger.nanosToNext(now),
                        Math.max(pausedUntil - now, tokens.nanosToNext(now)));
        return Math.clamp(wait, 0, LONGEST_SLEEP.toNanos());
    }

    private void forget() {
        if (compared != null) {
            compared = null;
            droppedBefore += ledger.dropped();
            ledger = new EventLedger(pace);
        }
    }

    private void compare(long now) {
        ControlState before = compared;
        ControlState state = states.get();
        if (before == null) {
            begin(state, now);
        } else {
            compare(before, state, now);
        }
        compared = state;
    }

    private void hear(long now) {
        ControlState state = states.get();
        for (News news = happened.poll(); news != null; news = happened.poll()) {
            News one = news;
            state.uid(one.object())
                    .ifPresent(uid -> ledger.happened(one.about(), Statement.of(one, uid), now));
        }
    }

    private void begin(ControlState state, long now) {
        state.remarks()
                .forEachChange(FindingIndex.EMPTY, finding -> held(finding, state, now), _ -> {});
        state.applied().findings().stream()
                .distinct()
                .forEach(finding -> held(finding, state, now));
    }

    private void held(Finding finding, ControlState state, long now) {
        uid(finding, state).ifPresent(uid -> ledger.held(finding, uid, now));
    }

    /** Of what no API server holds, nothing is told; a Secret that may not be read has no uid. */
    private static Optional<String> uid(Finding finding, ControlState state) {
        return state.uid(finding.object())
                .or(() ->
                        finding.reason() == Reason.SECRET_FORBIDDEN
                                ? Optional.of("")
                                : Optional.empty());
    }

    private void compare(ControlState before, ControlState state, long now) {
        state.remarks()
                .forEachChange(
                        before.remarks(),
                        finding -> appeared(finding, before, state, now),
                        finding -> resolved(finding, state, now));
        if (!state.applied().findings().equals(before.applied().findings())) {
            Set<Finding> was = new HashSet<>(before.applied().findings());
            Set<Finding> is = new HashSet<>(state.applied().findings());
            is.stream()
                    .filter(finding -> !was.contains(finding))
                    .forEach(finding -> appeared(finding, before, state, now));
            was.stream()
                    .filter(finding -> !is.contains(finding))
                    .forEach(finding -> resolved(finding, state, now));
        }
        state.truth()
                .provenance()
                .forEachChange(
                        before.truth().provenance(),
                        (bundle, provenance) -> {
                            if (provenance != null
                                    && before.truth().provenance().get(bundle) == null) {
                                served(bundle, provenance, state, now);
                            }
                        });
    }

    /** An object that was just deleted is told of under the uid that it had. */
    private void appeared(Finding finding, ControlState before, ControlState state, long now) {
        uid(finding, state)
                .or(() -> uid(finding, before))
                .ifPresent(uid -> ledger.appeared(finding, uid, now));
    }

    private void resolved(Finding finding, ControlState state, long now) {
        if (uid(finding, state).isPresent()) {
            ledger.resolved(finding, now);
        } else {
            ledger.gone(finding);
        }
    }

    private void served(
            CertificateBundle bundle, Provenance provenance, ControlState state, long now) {
        state.uid(provenance.secret())
                .ifPresent(uid ->
                        ledger.served(
                                new Statement(
                                        provenance.secret(),
                                        uid,
                                        false,
                                        Statement.CERTIFICATE_SERVED,
                                        "Serve",
                                        "serial "
                                                + bundle.serial()
                                                + " ("
                                                + names(bundle)
                                                + ", valid until "
                                                + bundle.notAfter()
                                                + ") from resourceVersion "
                                                + provenance.resourceVersion()
                                                + " is served since "
                                                + provenance
                                                        .firstServed()
                                                        .truncatedTo(ChronoUnit.MILLIS)),
                                now));
    }

    private static String names(CertificateBundle bundle) {
        List<String> names = bundle.names().stream().map(Hostname::text).sorted().toList();
        String some = names.stream().limit(NAMES_TOLD).collect(Collectors.joining(", "));
        int more = names.size() - NAMES_TOLD;
        return more > 0 ? some + " and " + more + " more names" : some;
    }

    private void tell(Telling telling) throws InterruptedException {
        Statement statement = telling.statement();
        long now = nanoTime.getAsLong();
        long open = shut.getOrDefault(statement.namespace(), now);
        if (now - open < 0) {
            againIfItHolds(telling, now, open);
            return;
        }
        tokens.take(now);
        try {
            if (api.tell(statement, telling.first())) {
                told.computeIfAbsent(statement.reason(), _ -> new LongAdder()).increment();
            }
            troubles = 0;
            ledger.told(telling, nanoTime.getAsLong());
        } catch (RuntimeException failed) {
            failed(telling, failed, nanoTime.getAsLong());
        }
    }

    /** While nothing may be told for long, only what holds is kept: there would be no end of it. */
    private void againIfItHolds(Telling telling, long now, long notBefore) {
        if (ledger.holds(telling)) {
            ledger.again(telling, now, notBefore);
        } else {
            ledger.drop(telling, now);
        }
    }

    private void failed(Telling telling, RuntimeException failed, long now) {
        switch (ApiFault.of(failed)) {
            case FORBIDDEN -> {
                if (String.valueOf(failed.getMessage()).contains(TERMINATING)) {
                    ledger.drop(telling, now); // nobody will read them
                    return;
                }
                refusals++;
                String namespace = telling.statement().namespace();
                long open = now + pace.longestPause().toNanos();
                againIfItHolds(telling, now, open);
                if (shut.put(namespace, open) == null) {
                    log.atWarn()
                            .addKeyValue("namespace", namespace)
                            .addKeyValue("answer", ApiFault.answer(failed))
                            .log(
                                    "no Events are written here: the right to create, get and patch events"
                                            + " (events.k8s.io) is lacking; grant it, or set kubernetes.events"
                                            + " to false");
                }
            }
            case GONE, CONFLICT ->
                    ledger.drop(telling, now); // it ran out, or was raced: never mind
            case INVALID -> {
                ledger.drop(telling, now);
                troubled(failed, "an Event was not taken");
            }
            case PASSING -> {
                troubled(failed, "Events cannot be written now");
                pausedUntil = now + pause(troubles);
                ledger.again(telling, now, pausedUntil);
            }
        }
    }

    private void troubled(RuntimeException failed, String message) {
        if (troubles++ == 0) {
            log.atWarn().addKeyValue("answer", ApiFault.answer(failed)).log(message);
        }
    }

    private long pause(int count) {
        long most = pace.longestPause().toNanos();
        long doubled = pace.firstPause().toNanos() << Math.min(count - 1, 20);
        long pause = doubled <= 0 ? most : Math.min(most, doubled);
        return pause / 2 + random.nextLong(pause / 2 + 1);
    }
}
