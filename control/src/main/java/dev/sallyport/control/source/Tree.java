package dev.sallyport.control.source;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A YAML or JSON value that knows its line, from 1. */
sealed interface Tree {
    int line();

    /** How many values there are in it, with itself; aliases unfolded. */
    int size();

    /** Keys to values, in order. */
    record Mapping(int line, Map<String, Tree> entries) implements Tree {
        @Nullable Tree get(String key) {
            return entries.get(key);
        }

        @Override
        public int size() {
            int size = 1;
            for (Tree value : entries.values()) {
                size += value.size();
            }
            return size;
        }

        /** The text under a key; null where there is none, or something else. */
        @Nullable String text(String key) {
            return entries.get(key) instanceof Scalar(_, String text) ? text : null;
        }
    }

    /** Values in order. */
    record Sequence(int line, List<Tree> items) implements Tree {
        @Override
        public int size() {
            int size = 1;
            for (Tree item : items) {
                size += item.size();
            }
            return size;
        }
    }

    /**
     * A leaf.
     *
     * @param value a String, Boolean, Long, BigInteger, Double, or null
     */
    record Scalar(int line, @Nullable Object value) implements Tree {
        @Override
        public int size() {
            return 1;
        }
    }

    /** A text that is not YAML or JSON, or that exceeds a bound. */
    final class Malformed extends Exception {
        private static final long serialVersionUID = 1;
        private final int line;

        /**
         * @param line from 1; 0 where it is not known
         */
        Malformed(int line, String message) {
            super(message, null, false, false);
            this.line = line;
        }

        int line() {
            return line;
        }

        String text() {
            return String.valueOf(getMessage());
        }
    }
}
