package dev.sallyport.proxy.metric;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** One striped counter for each value of a closed set. Safe from any thread. */
final class Counters<E extends Enum<E>> {
    private final Map<E, LongAdder> adders;

    Counters(Class<E> set) {
        adders = new EnumMap<>(set);
        for (E value : set.getEnumConstants()) {
            adders.put(value, new LongAdder());
        }
    }

    void increment(E value) {
        of(value).increment();
    }

    LongAdder of(E value) {
        return Objects.requireNonNull(adders.get(value));
    }
}
