package dev.sallyport.app.config;

/** The table of all keys for {@code docs/configuration.md}. */
final class ConfigurationDocument {
    private ConfigurationDocument() {}

    /** Markdown, one table for each section. */
    static String markdown() {
        var text = new StringBuilder();
        String section = "";
        for (Schema.Entry entry : Schema.entries()) {
            int dot = entry.key().indexOf('.');
            String current = dot < 0 ? "" : entry.key().substring(0, dot);
            if (text.isEmpty() || !current.equals(section)) {
                section = current;
                text.append(
                        (current.isEmpty() ? "" : "\n### " + current + "\n\n")
                                + "| key | takes | default | meaning |\n|---|---|---|---|\n");
            }
            text.append("| `" + entry.key() + "` | " + entry.type() + " | ");
            text.append(entry.defaults());
            text.append(" | " + entry.documentation().value() + range(entry) + " |\n");
        }
        return text.toString();
    }

    private static String range(Schema.Entry entry) {
        Key key = entry.documentation();
        if (key.min() == 0 && key.max() == Long.MAX_VALUE) {
            return "";
        }
        java.util.function.LongFunction<String> format =
                switch (entry.type()) {
                    case "size" -> bound -> new ByteSize(bound).toString();
                    case "duration" ->
                            bound -> DurationText.format(java.time.Duration.ofMillis(bound));
                    default -> Long::toString;
                };
        return key.max() == Long.MAX_VALUE
                ? " At least " + format.apply(key.min()) + "."
                : " " + format.apply(key.min()) + "–" + format.apply(key.max()) + ".";
    }
}
