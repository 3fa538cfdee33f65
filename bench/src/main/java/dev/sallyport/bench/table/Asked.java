package dev.sallyport.bench.table;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Locale;
import java.util.SplittableRandom;

/** What clients ask for; public for JMH. */
public enum Asked {
    /** A host that has its own entry. */
    EXACT,
    /** A host one label below a wildcard. */
    WILDCARD,
    /** A host that nothing covers. */
    MISS;

    /** Names as bytes, in random order: a power of two of them. */
    byte[][] names(int hosts) {
        var random = new SplittableRandom(42);
        byte[][] names = new byte[1 << 14][];
        for (int i = 0; i < names.length; i++) {
            int wildcard = random.nextInt(hosts) / Tables.WILDCARD_EVERY * Tables.WILDCARD_EVERY;
            names[i] = name(wildcard).getBytes(ISO_8859_1);
        }
        return names;
    }

    private String name(int wildcard) {
        return switch (this) {
            case EXACT -> Tables.host(wildcard + 1).text();
            case WILDCARD -> "www" + Tables.host(wildcard).text().substring(1);
            case MISS -> String.format(Locale.ROOT, "www.stranger-%06d.example.org", wildcard);
        };
    }
}
