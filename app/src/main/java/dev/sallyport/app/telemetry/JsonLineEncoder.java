package dev.sallyport.app.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/**
 * A message as one line of JSON: {@code time} (RFC 3339, UTC), {@code level}, {@code message}, the
 * message's own keys, {@code logger}, and {@code error} with the stack trace where there is one.
 * Numbers and truth values stay what they are; everything else is text.
 */
final class JsonLineEncoder extends EncoderBase<ILoggingEvent> {
    private static final Set<String> TAKEN = Set.of("time", "level", "message", "logger", "error");
    private static final byte[] NOTHING = {};

    @Override
    public byte[] headerBytes() {
        return NOTHING;
    }

    @Override
    public byte[] footerBytes() {
        return NOTHING;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        var line = new StringBuilder(256);
        line.append('{');
        member(line, "time", event.getInstant());
        member(line, "level", event.getLevel());
        member(line, "message", event.getFormattedMessage());
        @Nullable List<KeyValuePair> pairs = event.getKeyValuePairs();
        if (pairs != null) {
            for (KeyValuePair pair : pairs) {
                member(line, TAKEN.contains(pair.key) ? pair.key + "_" : pair.key, pair.value);
            }
        }
        member(line, "logger", event.getLoggerName());
        @Nullable IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            member(line, "error", ThrowableProxyUtil.asString(thrown));
        }
        return line.append("}\n").toString().getBytes(UTF_8);
    }

    private static void member(StringBuilder line, String name, @Nullable Object value) {
        if (line.length() > 1) {
            line.append(',');
        }
        text(line, name);
        line.append(':');
        switch (value) {
            case null -> line.append("null");
            case Integer number -> line.append(number.intValue());
            case Long number -> line.append(number.longValue());
            case Boolean truth -> line.append(truth.booleanValue());
            default -> text(line, value.toString());
        }
    }

    /** RFC 8259 section 7. */
    private static void text(StringBuilder line, String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> line.append('\\').append(c);
                case '\n' -> line.append("\\n");
                case '\t' -> line.append("\\t");
                default -> {
                    if (c < ' '
                            || c == 0x7f
                            || c == '\u2028'
                            || c == '\u2029'
                            || unpaired(text, i)) {
                        line.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        line.append('"');
    }

    private static boolean unpaired(String text, int i) {
        char c = text.charAt(i);
        return Character.isHighSurrogate(c)
                ? i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1))
                : Character.isLowSurrogate(c)
                        && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }
}
