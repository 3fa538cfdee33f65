package dev.sallyport.control.status;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.call.DueKeys;
import dev.sallyport.control.call.Tokens;
import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import dev.sallyport.model.name.ShardedMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the status of Ingresses at what {@link StatusPlan} says, while this replica leads. It works
 * on what changed between two states; at the beginning of leadership, and when the addresses
 * change, on all. Nothing is taken away when it stops: another replica goes on, or the same after
 * an update, and meanwhile names in DNS must not vanish.
 */
public final class StatusPublisher implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `ingress-status`, but for the results (a
     * concurrent queue), which the threads of the requests fill, the counts, and `closed`.
     */
    private static final Logger log = LoggerFactory.getLogger(StatusPublisher.class);

    /** Somebody else writes over what was written: from then on, ever more slowly. */
    private static final int REWRITES_AT_ONCE = 2;

    private static final int REWRITES_TOLD = 5;
    private static final Duration REWRITES_FORGOTTEN = Duration.ofMinutes(10);
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(1);

    private final Supplier<ShardedMap<ObjectRef, IngressStanding>> ingresses;
    private final AddressSource source;
    private final BooleanSupplier leads;
    private final StatusApi api;
    private final String manager;
    private final StatusPace pace;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final Thread thread;
    private final ExecutorService requests =
            Executors.newThreadPerTaskExecutor(
                    Thread.ofVirtual().name("ingress-status-", 0).factory());
    private final Queue<Result> results = new ConcurrentLinkedQueue<>();
    private final LongAdder writes = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private volatile boolean closed;

    private final DueKeys<ObjectRef> due = new DueKeys<>();
    private final Map<ObjectRef, ObjectVersion> written = new HashMap<>(); // onto which version
    private final Map<ObjectRef, Rewrites> rewrites = new HashMap<>();
    private final Map<ObjectRef, Integer> tries =
            new HashMap<>(); // that failed since the last success
    private final Map<ObjectRef, Long> leaving = new HashMap<>(); // to be taken away, since when
    private final Map<String, Long> shut =
            new HashMap<>(); // namespaces without the right, until when
    private final Tokens tokens;
    private @Nullable ShardedMap<ObjectRef, IngressStanding> compared; // null: does not lead
    private StatusPlan plan;
    private int troubles; // in a row
    private long pausedUntil;
    private long nextLook;
    private boolean addressesTold;

    /** What became of a request; no fault where it was written. */
    private record Result(
            ObjectRef ingress, ObjectVersion onto, Optional<ApiFault> fault, String answer) {}

    /** How often an Ingress was written of late. */
    private record Rewrites(int count, long last) {}

    /**
     * What was done since the start.
     *
     * @param writes that took place
     * @param failures that did not, whatever for
     */
    public record Counts(long writes, long failures) {
        /** Nothing yet. */
        public static final Counts NONE = new Counts(0, 0);
    }

    StatusPublisher(
            Supplier<ShardedMap<ObjectRef, IngressStanding>> ingresses,
            AddressSource source,
            BooleanSupplier leads,
            StatusApi api,
            String manager,
            StatusPace pace,
            LongSupplier nanoTime,
            RandomGenerator random) {
        this.ingresses = ingresses;
        this.source = source;
        this.leads = leads;
        this.api = api;
        this.manager = manager;
        this.pace = pace;
        this.nanoTime = nanoTime;
        this.random = random;
        long now = nanoTime.getAsLong();
        this.tokens = new Tokens(pace.perSecond(), pace.perSecond(), now);
        this.pausedUntil = now;
        this.nextLook = now;
        this.plan = new StatusPlan(Optional.empty(), manager);
        this.thread = Thread.ofPlatform().name("ingress-status").daemon().unstarted(this::run);
    }

    /**
     * A publisher that is not started.
     *
     * @param ingresses all, as they are known by now; safe from any thread
     * @param source where clients reach the gateway; closed with this
     * @param leads whether this replica is to write
     * @param client one that does not retry; stays the caller's
     * @param manager the field manager of this gateway and no other
     */
    public static StatusPublisher of(
            Supplier<ShardedMap<ObjectRef, IngressStanding>> ingresses,
            AddressSource source,
            BooleanSupplier leads,
            KubernetesClient client,
            String manager,
            RandomGenerator random) {
        StatusPace pace = StatusPace.DEFAULT;
        return new StatusPublisher(
                ingresses,
                source,
                leads,
                new ApiStatus(client, new BoundedCalls(pace.call()), manager),
                manager,
                pace,
                System::nanoTime,
                random);
    }

    /** Starts the thread {@code ingress-status}. */
    public void start() {
        source.start(this::wake);
        thread.start();
    }

    /** Something may have changed. Safe from any thread; does not block. */
    public void wake() {
        LockSupport.unpark(thread);
    }

    /** What was done. Safe from any thread. */
    public Counts counts() {
        return new Counts(writes.sum(), failures.sum());
    }

    /** Stops; waits for requests under way as long as one takes. What was written stays. */
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
        requests.shutdownNow();
        source.close();
    }

    private void run() {
        try {
            while (!closed) {
                try {
                    LockSupport.parkNanos(round(nanoTime.getAsLong()));
                } catch (RuntimeException | Error bug) {
                    log.atError().setCause(bug).log("A bug ended a round of writing statuses");
                    forget();
                    LockSupport.parkNanos(LONGEST_SLEEP.toNanos());
                }
            }
            while (due.taken() > 0) {
                settle(nanoTime.getAsLong());
                LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
                if (Thread.interrupted()) {
                    return;
                }
            }
        } catch (InterruptedException _) {
            log.atDebug().log("The writing of statuses was interrupted");
        }
    }

    /** Does what can be done; how long to sleep then. */
    private long round(long now) throws InterruptedException {
        settle(now);
        if (!leads.getAsBoolean()) {
            forget();
            return LONGEST_SLEEP.toNanos();
        }
        if (now - nextLook >= 0) {
            source.refresh();
            nextLook = now + pace.look().toNanos();
        }
        compare();
        return send(nanoTime.getAsLong());
    }

    private void forget() {
        compared = null;
        due.clear();
        written.clear();
        tries.clear();
        leaving.clear();
    }

    private void compare() {
        Optional<List<LoadBalancerAddress>> addresses = source.addresses();
        tellAddresses(addresses);
        var planned = new StatusPlan(addresses, manager);
        ShardedMap<ObjectRef, IngressStanding> before = compared;
        ShardedMap<ObjectRef, IngressStanding> now = ingresses.get();
        if (before == null || !planned.equals(plan)) {
            plan = planned;
            now.forEach(this::consider);
        } else {
            now.forEachChange(before, this::consider);
        }
        compared = now;
    }

    private void consider(ObjectRef ref, @Nullable IngressStanding ingress) {
        if (ingress == null) {
            due.remove(ref);
            written.remove(ref);
            rewrites.remove(ref);
            tries.remove(ref);
            leaving.remove(ref);
            return;
        }
        ObjectVersion onto = written.get(ref);
        if (onto != null && onto.equals(ingress.version())) {
            return; // what was written is yet to be seen
        }
        written.remove(ref);
        StatusPlan.Change change = plan.change(ingress).orElse(null);
        if (change != null && change.takesAway()) {
            leaving.putIfAbsent(ref, nanoTime.getAsLong());
        } else {
            leaving.remove(ref);
        }
        if (change == null) {
            due.remove(ref);
            tries.remove(ref);
        } else if (tries.containsKey(ref)) {
            due.hurry(ref);
        } else {
            due.add(ref);
        }
    }

    private long send(long now) {
        while (now - pausedUntil >= 0 && due.taken() < pace.atOnce() && due.nanosToNext(now) == 0) {
            if (!tokens.take(now)) {
                return tokens.nanosToNext(now);
            }
            ObjectRef ref = due.take(now);
            if (ref != null) {
                send(ref, now);
            }
        }
        long untilDue = Math.max(due.nanosToNext(now), pausedUntil - now);
        boolean full = due.taken() >= pace.atOnce(); // then a result wakes
        long longest = LONGEST_SLEEP.toNanos();
        return full ? longest : Math.clamp(untilDue, 0, longest);
    }

    private void send(ObjectRef ref, long now) {
        IngressStanding ingress = compared == null ? null : compared.get(ref);
        StatusPlan.Change change = ingress == null ? null : plan.change(ingress).orElse(null);
        if (change == null) {
            due.done(ref);
            return;
        }
        long earliest = earliest(ref, now);
        if (earliest - now > 0) {
            due.addLater(ref, earliest);
            return;
        }
        requests.execute(() -> {
            results.add(write(change));
            wake();
        });
    }

    /** When an Ingress may be written: now, mostly. */
    private long earliest(ObjectRef ref, long now) {
        Long since = leaving.get(ref);
        long left = since == null ? now : since + pace.handOver().toNanos();
        long allowed = whenAllowed(ref, now);
        return left - allowed > 0 ? left : allowed;
    }

    private long whenAllowed(ObjectRef ref, long now) {
        long refused = shut.getOrDefault(ref.namespace(), now);
        Rewrites last = rewrites.get(ref);
        long contested =
                last == null || last.count() <= REWRITES_AT_ONCE
                        ? now
                        : last.last() + doubled(last.count() - REWRITES_AT_ONCE);
        return refused - contested > 0 ? refused : contested;
    }

    private Result write(StatusPlan.Change change) {
        ObjectRef ref = change.onto().ref();
        ObjectVersion onto = change.onto().version();
        try {
            if (!leads.getAsBoolean()) {
                return new Result(ref, onto, Optional.of(ApiFault.PASSING), "leads no more");
            }
            api.write(change);
            return new Result(ref, onto, Optional.empty(), "");
        } catch (InterruptedException _) {
            return new Result(ref, onto, Optional.of(ApiFault.PASSING), "interrupted");
        } catch (RuntimeException failed) {
            return new Result(ref, onto, Optional.of(ApiFault.of(failed)), ApiFault.answer(failed));
        }
    }

    private void settle(long now) {
        for (Result result = results.poll(); result != null; result = results.poll()) {
            if (result.fault().isEmpty()) {
                succeeded(result, now);
            } else {
                failed(result, result.fault().get(), now);
            }
        }
    }

    private void succeeded(Result result, long now) {
        ObjectRef ref = result.ingress();
        writes.increment();
        troubles = 0;
        tries.remove(ref);
        shut.remove(ref.namespace());
        written.put(ref, result.onto());
        due.done(ref);
        Rewrites last = rewrites.get(ref);
        boolean again = last != null && now - last.last() < REWRITES_FORGOTTEN.toNanos();
        int count = again && last != null ? last.count() + 1 : 1;
        rewrites.put(ref, new Rewrites(count, now));
        if (count == REWRITES_TOLD) {
            log.atWarn()
                    .addKeyValue("ingress", ref)
                    .log(
                            "somebody else writes the status of this Ingress as well: look which controllers"
                                    + " serve its class");
        }
    }

    private void failed(Result result, ApiFault fault, long now) {
        ObjectRef ref = result.ingress();
        failures.increment();
        int count = tries.merge(ref, 1, Integer::sum);
        switch (fault) {
            case CONFLICT -> {
                // Mostly the newer version is on its way.
                due.addLater(ref, now + pause(count));
                if (compared != null) {
                    IngressStanding newer = compared.get(ref);
                    if (newer != null && !newer.version().equals(result.onto())) {
                        due.hurry(ref);
                    }
                }
            }
            case GONE -> due.done(ref);
            case INVALID -> {
                due.done(ref); // until it changes
                troubled(now, ref, result.answer(), "the status of an Ingress was not taken");
            }
            case FORBIDDEN -> {
                long until = now + pace.longestPause().toNanos();
                due.addLater(ref, until);
                if (shut.put(ref.namespace(), until) == null) {
                    log.atWarn()
                            .addKeyValue("namespace", ref.namespace())
                            .addKeyValue("answer", result.answer())
                            .log(
                                    "no status is written here: the right to patch ingresses/status"
                                            + " (networking.k8s.io) is lacking; grant it, or set"
                                            + " kubernetes.status to false");
                }
            }
            case PASSING -> {
                due.addLater(ref, now + pause(count));
                troubled(now, ref, result.answer(), "statuses cannot be written now");
            }
        }
    }

    /** Nothing is sent for a while; said once, until something was written again. */
    private void troubled(long now, ObjectRef ref, String answer, String message) {
        if (troubles++ == 0) {
            log.atWarn().addKeyValue("ingress", ref).addKeyValue("answer", answer).log(message);
        }
        pausedUntil = now + pause(troubles);
    }

    private long pause(int count) {
        long pause = doubled(count);
        return pause / 2 + random.nextLong(pause / 2 + 1);
    }

    private long doubled(int count) {
        long most = pace.longestPause().toNanos();
        long doubled = pace.firstPause().toNanos() << Math.min(count - 1, 20);
        return doubled <= 0 ? most : Math.min(most, doubled);
    }

    private void tellAddresses(Optional<List<LoadBalancerAddress>> addresses) {
        if (addresses.isPresent() && !addressesTold) {
            addressesTold = true;
            log.atInfo()
                    .addKeyValue(
                            "addresses",
                            addresses.get().stream().map(LoadBalancerAddress::text).toList())
                    .log("the status of Ingresses is kept here");
        }
    }
}
