package dev.sallyport.control.leader;

import dev.sallyport.control.leader.LeaseStore.Outcome;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A Lease in memory, with the API server's rule of versions; one {@link Access} a candidate. */
final class SharedLease {
    private @Nullable LeaseRecord lease;
    private long version;

    synchronized Optional<LeaseRecord> current() {
        return Optional.ofNullable(lease);
    }

    synchronized void delete() {
        lease = null;
    }

    synchronized void write(LeaseRecord written) {
        lease = written;
        version++;
    }

    /** How one candidate reaches it. */
    final class Access implements LeaseStore {
        final AtomicBoolean unreachable = new AtomicBoolean();
        final AtomicBoolean losesAnswers = new AtomicBoolean();
        volatile Runnable beforeWrites = () -> {};
        volatile Runnable afterWrites = () -> {};
        private long known;

        @Override
        public Optional<LeaseRecord> read() {
            reach();
            synchronized (SharedLease.this) {
                known = version;
                return Optional.ofNullable(lease);
            }
        }

        @Override
        public Outcome create(LeaseRecord wanted) {
            reach();
            beforeWrites.run();
            synchronized (SharedLease.this) {
                if (lease != null) {
                    return Outcome.OUTRUN;
                }
                write(Objects.requireNonNull(wanted));
                return written(version);
            }
        }

        @Override
        public Outcome replace(LeaseRecord wanted) {
            reach();
            beforeWrites.run();
            synchronized (SharedLease.this) {
                if (lease == null) {
                    return Outcome.GONE;
                }
                if (known != version) {
                    return Outcome.OUTRUN;
                }
                if (!wanted.equals(lease)) { // what changes nothing is no new version
                    write(wanted);
                }
                return written(version);
            }
        }

        private Outcome written(long newest) {
            if (losesAnswers.get()) {
                throw new IllegalStateException("the answer was lost");
            }
            known = newest;
            afterWrites.run();
            return Outcome.WRITTEN;
        }

        private void reach() {
            if (unreachable.get()) {
                throw new IllegalStateException("unreachable");
            }
        }
    }
}
