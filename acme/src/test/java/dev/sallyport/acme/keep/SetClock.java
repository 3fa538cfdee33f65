package dev.sallyport.acme.keep;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** A clock that stands until it is set. */
final class SetClock implements InstantSource {
    private final AtomicReference<Instant> now;
    private final AtomicLong reads = new AtomicLong();

    SetClock(Instant now) {
        this.now = new AtomicReference<>(now);
    }

    @Override
    public Instant instant() {
        reads.incrementAndGet();
        return now.get();
    }

    void set(Instant time) {
        now.set(time);
    }

    void pass(Duration time) {
        now.updateAndGet(it -> it.plus(time));
    }

    /** How often somebody looked. */
    long reads() {
        return reads.get();
    }
}
