package dev.sallyport.app.config;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/** How names are written in configuration, and which of them a typing error may have meant. */
final class Words {
    private Words() {}

    /** {@code headerBytes} and {@code HEADER_BYTES} to {@code header-bytes}. */
    static String kebab(String name) {
        var text = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean hump =
                    i > 0 && Character.isUpperCase(c) && Character.isLowerCase(name.charAt(i - 1));
            text.append(hump ? "-" : "").append(c == '_' ? '-' : Character.toLowerCase(c));
        }
        return text.toString();
    }

    /** {@code limits.header-bytes} to {@code SALLYPORT_LIMITS_HEADER_BYTES}. */
    static String variable(String key) {
        return "SALLYPORT_" + key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** The candidate nearest to {@code written}, where it is near at all. */
    static Optional<String> nearest(String written, Collection<String> candidates) {
        int bound = Math.max(2, written.length() / 3);
        String best = null;
        int bestDistance = bound + 1;
        for (String candidate : new TreeSet<>(candidates)) {
            int distance = distance(written, candidate);
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    /** Levenshtein's. */
    private static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int substituted = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length()];
    }
}
