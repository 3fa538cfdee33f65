package dev.sallyport.app.config;

import java.util.List;

/** A value as it was written, before anybody knows what it should be. */
sealed interface Raw {
    /** Where it was written. */
    Source source();

    /** A scalar. */
    record Text(String text, Source source) implements Raw {}

    /** A key without a value. */
    record Nothing(Source source) implements Raw {}

    /** A list. */
    record Many(List<Raw> items, Source source) implements Raw {
        public Many {
            items = List.copyOf(items);
        }
    }

    /** A mapping, in the order in which it was written, duplicates included. */
    record Fields(List<Field> fields, Source source) implements Raw {
        public Fields {
            fields = List.copyOf(fields);
        }
    }

    /** One entry of a mapping; {@code source} is the key's own place. */
    record Field(String name, Raw value, Source source) {}
}
