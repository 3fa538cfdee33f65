package dev.sallyport.control.leader;

import dev.sallyport.control.leader.LeaseStore.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One that would lead. Decides by a clock that only goes forward when <em>it</em> saw the Lease
 * change; what others wrote into it is never compared with the time here, so that no clock that is
 * wrong makes two leaders.
 *
 * <p>Concurrency: confined to one thread, but for {@link #leads}, which any may ask.
 */
final class Candidate {
    /** However long another version of this program says that its Leases hold. */
    private static final Duration LONGEST_LEASE = Duration.ofMinutes(1);

    private final String identity;
    private final LeaseStore store;
    private final LeaseTimes times;
    private final LongSupplier nanoTime;
    private final InstantSource time;

    private @Nullable LeaseRecord seen; // as last read or written
    private long seenSince;
    private boolean exists; // whether there was a Lease when it was last looked for
    private volatile @Nullable Term term;

    /** Leadership until a time; volatile as a whole. */
    private record Term(long until) {}

    /**
     * @param identity of this process, never of another
     * @param nanoTime a clock that only goes forward
     * @param time for what people read in the Lease
     */
    Candidate(
            String identity,
            LeaseStore store,
            LeaseTimes times,
            LongSupplier nanoTime,
            InstantSource time) {
        this.identity = identity;
        this.store = store;
        this.times = times;
        this.nanoTime = nanoTime;
        this.time = time;
    }

    /** Whether nobody else leads, and this one does. */
    boolean leads() {
        Term now = term;
        return now != null && nanoTime.getAsLong() - now.until() < 0;
    }

    /** Who leads, as far as was seen; empty for nobody. */
    String holder() {
        LeaseRecord last = seen;
        return last == null ? "" : last.holder();
    }

    /** Renews, or looks whether the Lease can be had. What the store throws ends the attempt. */
    void attempt() throws InterruptedException {
        if (!holds() || !renew()) {
            look();
        }
    }

    /**
     * Leads no more, and lets the next one know. Whoever acts for the leader must have ended
     * before.
     */
    void resign() throws InterruptedException {
        term = null;
        if (!release()) {
            // Somebody wrote: a label perhaps, and the Lease is held still.
            see();
            var _ = release();
        }
    }

    /** Whether there is nothing (more) to give up; false where the Lease is to be looked at. */
    private boolean release() throws InterruptedException {
        LeaseRecord last = seen;
        if (!exists || last == null || !last.isHeldBy(identity)) {
            return true;
        }
        // A second, as client-go has it: others that read it are not to wait.
        var free =
                new LeaseRecord(
                        "",
                        Duration.ofSeconds(1),
                        last.acquired(),
                        later(last.renewed()),
                        last.transitions());
        return store.replace(free) != Outcome.OUTRUN;
    }

    /** Leads no more, whatever the Lease says. */
    void retire() {
        term = null;
    }

    private boolean holds() {
        LeaseRecord last = seen;
        return exists && last != null && last.isHeldBy(identity);
    }

    /** Whether that is settled; false where the Lease is to be looked at. */
    private boolean renew() throws InterruptedException {
        LeaseRecord last = seen;
        return last != null && write(over(last));
    }

    private void look() throws InterruptedException {
        long now = see();
        LeaseRecord last = seen;
        if (last != null
                && !last.isFree()
                && !last.isHeldBy(identity)
                && now - seenSince < longest(last).toNanos()) {
            term = null; // also where somebody deleted the Lease: its holder may not know yet
            return;
        }
        if (!write(last == null ? fresh() : over(last))) {
            term = null;
        }
    }

    /**
     * Whether it was written; then this one leads, counted from before it was sent. Where the
     * answer is that it was not, this one leads no more.
     */
    private boolean write(LeaseRecord wanted) throws InterruptedException {
        long began = nanoTime.getAsLong();
        Outcome outcome = exists ? store.replace(wanted) : store.create(wanted);
        switch (outcome) {
            case WRITTEN -> {
                exists = true;
                observe(wanted, nanoTime.getAsLong());
                term = new Term(began + times.belief().toNanos());
            }
            case GONE -> {
                exists = false;
                term = null;
            }
            case OUTRUN -> {
                // The write before may have been ours, if its answer was lost: belief stays until
                // the Lease was read.
            }
        }
        return outcome == Outcome.WRITTEN;
    }

    /** Reads the Lease; when that was. */
    private long see() throws InterruptedException {
        Optional<LeaseRecord> found = store.read();
        long now = nanoTime.getAsLong();
        exists = found.isPresent();
        found.ifPresent(lease -> observe(lease, now));
        return now;
    }

    private void observe(LeaseRecord lease, long now) {
        if (!lease.equals(seen)) {
            seen = lease;
            seenSince = now;
        }
    }

    private Duration longest(LeaseRecord last) {
        Duration theirs =
                last.duration().compareTo(LONGEST_LEASE) < 0 ? last.duration() : LONGEST_LEASE;
        return theirs.compareTo(times.lease()) > 0 ? theirs : times.lease();
    }

    private LeaseRecord fresh() {
        Instant now = now();
        return new LeaseRecord(identity, times.lease(), now, now, 0);
    }

    private LeaseRecord over(LeaseRecord last) {
        boolean mine = last.isHeldBy(identity);
        Instant renewed = mine ? later(last.renewed()) : now();
        return new LeaseRecord(
                identity,
                times.lease(),
                mine ? last.acquired() : renewed,
                renewed,
                mine ? last.transitions() : last.transitions() + 1);
    }

    /** A renewal must be seen, also where the clock was set back or stands. */
    private Instant later(Instant than) {
        Instant now = now();
        return now.isAfter(than) ? now : than.plus(1, ChronoUnit.MICROS);
    }

    /** As precise as a Lease has it. */
    private Instant now() {
        return time.instant().truncatedTo(ChronoUnit.MICROS);
    }
}
