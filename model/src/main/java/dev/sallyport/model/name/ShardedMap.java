package dev.sallyport.model.name;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable hash map of which one entry can be replaced without copying the others: changing a
 * few entries of 100,000 costs a few shards of some tens of entries each, not the whole.
 *
 * @param <K> the key type, with value equality
 * @param <V> the value type
 */
public final class ShardedMap<K, V> {
    private static final int ENTRIES_PER_SHARD = 64;
    private static final int MAX_SHARDS = 1 << 14;

    private final Map<K, V>[] shards;
    private final int size;

    private ShardedMap(Map<K, V>[] shards, int size) {
        this.shards = shards;
        this.size = size;
    }

    /** A map without entries. */
    public static <K, V> ShardedMap<K, V> empty() {
        return copyOf(Map.of());
    }

    /** A map with the entries of {@code source}. */
    public static <K, V> ShardedMap<K, V> copyOf(Map<K, V> source) {
        Map<K, V>[] shards = emptyShards(shardsFor(source.size()));
        boolean[] owned = new boolean[shards.length];
        source.forEach(
                (key, value) -> own(shards, owned, key).put(key, Objects.requireNonNull(value)));
        return new ShardedMap<>(shards, source.size());
    }

    /** The value of {@code key}, or null. Safe from any thread; does not allocate. */
    public @Nullable V get(Object key) {
        return shards[shardOf(key, shards.length)].get(key);
    }

    /**
     * This map with some entries set or removed. Shards that no change touches are shared with this
     * map.
     *
     * @param changes the new values; a null value removes the entry
     */
    public ShardedMap<K, V> with(Map<K, ? extends @Nullable V> changes) {
        if (changes.isEmpty()) {
            return this;
        }
        Map<K, V>[] copy = shards.clone();
        boolean[] owned = new boolean[copy.length];
        int count = size;
        for (Map.Entry<K, ? extends @Nullable V> change : changes.entrySet()) {
            Map<K, V> shard = own(copy, owned, change.getKey());
            V value = change.getValue();
            V before =
                    value == null
                            ? shard.remove(change.getKey())
                            : shard.put(change.getKey(), value);
            count += (value == null ? 0 : 1) - (before == null ? 0 : 1);
        }
        var changed = new ShardedMap<>(copy, count);
        boolean crowded =
                count > (long) copy.length * ENTRIES_PER_SHARD * 2 && copy.length < MAX_SHARDS;
        return crowded ? copyOf(changed.toMap()) : changed;
    }

    /** The number of entries. */
    public int size() {
        return size;
    }

    /** Whether there are no entries. */
    public boolean isEmpty() {
        return size == 0;
    }

    /** Calls {@code action} for each entry, in no particular order. */
    public void forEach(BiConsumer<? super K, ? super V> action) {
        for (Map<K, V> shard : shards) {
            shard.forEach(action);
        }
    }

    /**
     * Calls {@code action} for each key whose value differs from {@code before}, with the value of
     * now, or null where the key is gone. Costs what was changed where this map came from {@link
     * #with} on the other one, else a look at every entry of both.
     */
    @SuppressWarnings("ReferenceEquality") // a shard that is the same object holds no change
    public void forEachChange(
            ShardedMap<K, V> before, BiConsumer<? super K, ? super @Nullable V> action) {
        boolean sameShape = shards.length == before.shards.length;
        for (int i = 0; i < shards.length; i++) {
            if (!sameShape || shards[i] != before.shards[i]) {
                shards[i].forEach((key, value) -> {
                    if (!value.equals(before.get(key))) {
                        action.accept(key, value);
                    }
                });
            }
        }
        for (int i = 0; i < before.shards.length; i++) {
            if (!sameShape || shards[i] != before.shards[i]) {
                before.shards[i]
                        .keySet()
                        .forEach(key -> {
                            if (get(key) == null) {
                                action.accept(key, null);
                            }
                        });
            }
        }
    }

    /** The values, in no particular order. */
    public List<V> values() {
        List<V> values = new ArrayList<>(size);
        forEach((_, value) -> values.add(value));
        return values;
    }

    /** A copy as an ordinary map, in no particular order. */
    public Map<K, V> toMap() {
        Map<K, V> map = HashMap.newHashMap(size);
        forEach(map::put);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ShardedMap<?, ?> that
                && size == that.size
                && toMap().equals(that.toMap());
    }

    @Override
    public int hashCode() {
        return toMap().hashCode();
    }

    @Override
    public String toString() {
        return toMap().toString();
    }

    /** The shard of {@code key}, copied the first time a change touches it. */
    private static <K, V> Map<K, V> own(Map<K, V>[] shards, boolean[] owned, K key) {
        int index = shardOf(key, shards.length);
        if (!owned[index]) {
            shards[index] = new HashMap<>(shards[index]);
            owned[index] = true;
        }
        return shards[index];
    }

    private static int shardOf(Object key, int count) {
        int hash = key.hashCode() * 0x9E3779B9; // the map inside uses the low bits: take others
        return (hash >>> 18) & (count - 1);
    }

    private static int shardsFor(int size) {
        int wanted = Integer.highestOneBit(Math.max(1, size / ENTRIES_PER_SHARD) * 2 - 1);
        return Math.clamp(wanted, 1, MAX_SHARDS);
    }

    @SuppressWarnings(
            "unchecked") // an empty map holds no value of any type; generic arrays cannot be made
    // otherwise
    private static <K, V> Map<K, V>[] emptyShards(int count) {
        Map<K, V>[] shards = (Map<K, V>[]) new Map<?, ?>[count];
        Arrays.fill(shards, Map.<K, V>of());
        return shards;
    }
}
