package dev.sallyport.model.name;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable table from host names to values: the exact name, else the wildcard one label up.
 *
 * <p>The one lookup shared by SNI, by request authorities and by the check that the two agree, so
 * that they can never disagree on case, trailing dots or wildcards.
 *
 * @param <V> the value type
 */
public final class HostTable<V> {
    private final ShardedMap<String, V> exact;
    private final ShardedMap<String, V> wildcards; // keyed by the wildcard's parent

    private HostTable(ShardedMap<String, V> exact, ShardedMap<String, V> wildcards) {
        this.exact = exact;
        this.wildcards = wildcards;
    }

    /** A table without names. */
    public static <V> HostTable<V> empty() {
        return new HostTable<>(ShardedMap.empty(), ShardedMap.empty());
    }

    /** A table with the entries of {@code source}. */
    public static <V> HostTable<V> copyOf(Map<Hostname, V> source) {
        Map<String, V> exact = new HashMap<>();
        Map<String, V> wildcards = new HashMap<>();
        split(source, exact, wildcards);
        return new HostTable<>(ShardedMap.copyOf(exact), ShardedMap.copyOf(wildcards));
    }

    /**
     * The value of the most specific name that covers {@code host}, or null. Safe from any thread.
     *
     * @param host a name as {@link Hostname#normalise} returns it
     */
    public @Nullable V find(String host) {
        V found = exact.get(host);
        return found != null ? found : findWildcard(host);
    }

    /** The value of exactly this name, without looking at wildcards, or null. */
    public @Nullable V findExact(String host) {
        return exact.get(host);
    }

    /** The value of the wildcard that covers {@code host}, or null. */
    public @Nullable V findWildcard(String host) {
        if (wildcards.isEmpty()) {
            return null;
        }
        int dot = host.indexOf('.');
        return dot > 0 ? wildcards.get(host.substring(dot + 1)) : null;
    }

    /** The value that was set for {@code name} itself, or null. */
    public @Nullable V get(Hostname name) {
        return switch (name) {
            case Hostname.Exact(String text) -> exact.get(text);
            case Hostname.Wildcard(String parent) -> wildcards.get(parent);
        };
    }

    /**
     * This table with some names set or removed; what no change touches is shared.
     *
     * @param changes the new values; a null value removes the name
     */
    public HostTable<V> with(Map<Hostname, ? extends @Nullable V> changes) {
        if (changes.isEmpty()) {
            return this;
        }
        Map<String, @Nullable V> exactChanges = new LinkedHashMap<>();
        Map<String, @Nullable V> wildcardChanges = new LinkedHashMap<>();
        split(changes, exactChanges, wildcardChanges);
        return new HostTable<>(exact.with(exactChanges), wildcards.with(wildcardChanges));
    }

    /** The number of names. */
    public int size() {
        return exact.size() + wildcards.size();
    }

    /** Calls {@code action} for each name, in no particular order. */
    public void forEach(BiConsumer<Hostname, ? super V> action) {
        exact.forEach((text, value) -> action.accept(new Hostname.Exact(text), value));
        wildcards.forEach((parent, value) -> action.accept(new Hostname.Wildcard(parent), value));
    }

    /**
     * Calls {@code action} for each name whose value differs from {@code before}, with the value of
     * now, or null where the name is gone. What both tables share costs nothing.
     */
    public void forEachChange(
            HostTable<V> before, BiConsumer<Hostname, ? super @Nullable V> action) {
        exact.forEachChange(
                before.exact, (text, value) -> action.accept(new Hostname.Exact(text), value));
        wildcards.forEachChange(
                before.wildcards,
                (parent, value) -> action.accept(new Hostname.Wildcard(parent), value));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HostTable<?> that
                && exact.equals(that.exact)
                && wildcards.equals(that.wildcards);
    }

    @Override
    public int hashCode() {
        return 31 * exact.hashCode() + wildcards.hashCode();
    }

    @Override
    public String toString() {
        return "HostTable[exact=" + exact + ", wildcards=" + wildcards + "]";
    }

    private static <T extends @Nullable Object> void split(
            Map<Hostname, ? extends T> source, Map<String, T> exact, Map<String, T> wildcards) {
        source.forEach((name, value) -> {
            switch (name) {
                case Hostname.Exact(String text) -> exact.put(text, value);
                case Hostname.Wildcard(String parent) -> wildcards.put(parent, value);
            }
        });
    }
}
