package dev.sallyport.acme.plan;

import java.time.Duration;

/** Chance that can be repeated: the same seed and salt give the same share. */
final class Jitter {
    private Jitter() {}

    /** SplitMix64's finisher over both. */
    static long mix(long seed, long salt) {
        long z = seed + 0x9e3779b97f4a7c15L * (salt + 1);
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** From 0 (inclusive) to 1 (exclusive). */
    static double unit(long mixed) {
        return (mixed >>> 11) * 0x1.0p-53;
    }

    /** A part of {@code whole}, from nothing to all but the last of it. */
    static Duration share(long mixed, Duration whole) {
        return Duration.ofMillis((long) (unit(mixed) * whole.toMillis()));
    }
}
