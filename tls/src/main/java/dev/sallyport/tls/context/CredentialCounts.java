package dev.sallyport.tls.context;

import java.util.concurrent.atomic.LongAdder;

/** How many native credentials were made and freed. Safe from any thread. */
final class CredentialCounts {
    private final LongAdder created = new LongAdder();
    private final LongAdder freed = new LongAdder();

    void countCreated() {
        created.increment();
    }

    void countFreed() {
        freed.increment();
    }

    long created() {
        return created.sum();
    }

    long freed() {
        return freed.sum();
    }
}
