package dev.sallyport.control.leader;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes part in choosing the replica that writes to the API server, by a Lease. Who loses sight of
 * the API server stops leading by its own clock before anybody else begins.
 */
public final class LeaderElection implements AutoCloseable {
    /*
     * Concurrency: the candidate is confined to the thread `leader`; leads() is safe from any.
     */
    private static final Logger log = LoggerFactory.getLogger(LeaderElection.class);

    private final Candidate candidate;
    private final LeaseTimes times;
    private final String identity;
    private final String where;
    private final BoundedCalls calls;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread thread;
    private boolean closed; // under the lock
    private boolean led; // confined
    private volatile String holder = ""; // written by that thread
    private String fault = ""; // confined; what was last told

    LeaderElection(
            LeaseStore store,
            BoundedCalls calls,
            String identity,
            String where,
            LeaseTimes times,
            LongSupplier nanoTime,
            InstantSource time,
            RandomGenerator random) {
        this.candidate = new Candidate(identity, store, times, nanoTime, time);
        this.calls = calls;
        this.times = times;
        this.identity = identity;
        this.where = where;
        this.nanoTime = nanoTime;
        this.random = random;
        this.thread = Thread.ofPlatform().name("leader").daemon().unstarted(this::run);
    }

    /**
     * An election that is not started.
     *
     * @param client one that does not retry; stays the caller's
     * @param namespace of the Lease
     * @param name of the Lease
     * @param identity of this process, never of another
     */
    public static LeaderElection of(
            KubernetesClient client,
            String namespace,
            String name,
            String identity,
            LeaseTimes times,
            InstantSource time,
            RandomGenerator random) {
        var calls = new BoundedCalls(times.call());
        return new LeaderElection(
                new ApiLease(client, calls, namespace, name),
                calls,
                identity,
                namespace + "/" + name,
                times,
                System::nanoTime,
                time,
                random);
    }

    /** Starts the thread {@code leader}. */
    public void start() {
        thread.start();
    }

    /**
     * Whether this process leads. To be asked before each write; a request that was sent while it
     * did must end within {@link LeaseTimes#call}. Safe from any thread; does not block.
     */
    public boolean leads() {
        return candidate.leads();
    }

    /**
     * The identity of the one that leads, by what was last seen of the Lease; empty for nobody, and
     * where it was this process that has lost sight of it. Safe from any thread; does not block.
     */
    public Optional<String> leader() {
        String seen = holder;
        return seen.isEmpty() || (seen.equals(identity) && !leads())
                ? Optional.empty()
                : Optional.of(seen);
    }

    /** Has {@code listener} called, on this thread, when leadership begins or has ended. */
    public void whenChanged(Runnable listener) {
        listeners.add(listener);
    }

    /**
     * Stops, and gives the Lease up so that another need not wait; waits for that as long as one
     * request takes. Whoever acts for the leader is to be stopped before.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(times.call());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        thread.interrupt(); // others wait until the Lease has run out
        calls.close();
    }

    private void run() {
        try {
            while (!isClosed()) {
                long began = nanoTime.getAsLong();
                attempt();
                tell();
                pause(began);
            }
            candidate.resign();
            tell();
        } catch (InterruptedException _) {
            log.atDebug().log("The Lease was not given up in time");
        } catch (RuntimeException unreachable) {
            log.atDebug().setCause(unreachable).log("The Lease could not be given up");
        } finally {
            candidate.retire();
        }
    }

    private void attempt() throws InterruptedException {
        try {
            candidate.attempt();
            if (!fault.isEmpty()) {
                fault = "";
                log.atInfo().addKeyValue("lease", where).log("the Lease can be used again");
            }
        } catch (Error bug) {
            // Not by any fault of the API server: out of memory, perhaps. The next try may go well.
            log.atError().setCause(bug).log("A bug ended a try for the Lease");
        } catch (RuntimeException failed) {
            String what = ApiFault.answer(failed);
            if (!what.equals(fault)) {
                fault = what;
                tellFault(failed);
            }
        }
    }

    private void tellFault(RuntimeException failed) {
        if (ApiFault.of(failed) == ApiFault.FORBIDDEN) {
            log.atWarn()
                    .addKeyValue("lease", where)
                    .addKeyValue("answer", fault)
                    .log(
                            "no status and no Events are written: the right to get, create and update leases"
                                    + " (coordination.k8s.io) is lacking in this namespace");
        } else {
            log.atWarn()
                    .addKeyValue("lease", where)
                    .addKeyValue("answer", fault)
                    .log("the Lease cannot be used");
        }
    }

    private void tell() {
        boolean leads = candidate.leads();
        String by = candidate.holder();
        if (leads != led) {
            led = leads;
            log.atInfo()
                    .addKeyValue("lease", where)
                    .addKeyValue("identity", identity)
                    .log(
                            leads
                                    ? "leading: status and Events are written here"
                                    : "not leading any more");
            listeners.forEach(Runnable::run);
        }
        if (!by.equals(holder)) {
            holder = by;
            if (!leads && !by.isEmpty()) {
                log.atInfo()
                        .addKeyValue("lease", where)
                        .addKeyValue("by", by)
                        .log("led by another");
            }
        }
    }

    /**
     * The leader renews at an even pace. Those that wait look at odd times, and more often: on
     * average they learn within a second that the Lease was given up.
     */
    private void pause(long began) throws InterruptedException {
        Duration pace =
                candidate.leads()
                        ? times.retry()
                        : times.retry().multipliedBy(50 + random.nextInt(50)).dividedBy(100);
        lock.lock();
        try {
            long left = began + pace.toNanos() - nanoTime.getAsLong();
            while (!closed && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }
}
