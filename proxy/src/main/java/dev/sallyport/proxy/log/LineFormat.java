package dev.sallyport.proxy.log;

import dev.sallyport.proxy.http.ClientConnection;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes lines of entries. Everything a client chose is escaped, so that nobody can forge a line or
 * send commands to a terminal: what is written is printable ASCII and one line feed at the end.
 * Confined to the writer's thread.
 */
abstract class LineFormat {
    private static final HexFormat HEX = HexFormat.of();

    private final DateTimeFormatter seconds;
    private final StringBuilder line = new StringBuilder(512);
    private long second = Long.MIN_VALUE;
    private String secondText = "";

    private LineFormat(String seconds) {
        this.seconds = DateTimeFormatter.ofPattern(seconds, Locale.ROOT).withZone(ZoneOffset.UTC);
    }

    /** One JSON object a line. */
    static LineFormat json() {
        return new Json();
    }

    /** NCSA's common format with referer and user agent. */
    static LineFormat common() {
        return new Common();
    }

    /** Appends the line of {@code entry} with its line feed. */
    final void write(Entry entry, ByteArrayOutputStream to) {
        line.setLength(0);
        append(entry, line);
        line.append('\n');
        to.writeBytes(line.toString().getBytes(StandardCharsets.US_ASCII));
    }

    abstract void append(Entry entry, StringBuilder to);

    /** The second of {@code millis}; the text is made once for each. */
    final String second(long millis) {
        long asked = Math.floorDiv(millis, 1000L);
        if (asked != second) {
            second = asked;
            secondText = seconds.format(Instant.ofEpochSecond(asked));
        }
        return secondText;
    }

    private static final class Json extends LineFormat {
        Json() {
            super("yyyy-MM-dd'T'HH:mm:ss");
        }

        @Override
        void append(Entry entry, StringBuilder to) {
            ClientConnection connection = entry.connection();
            ClientConnection.Tls tls = connection.tls();
            to.append("{\"time\":\"").append(second(entry.startedAtMillis())).append('.');
            int millis = (int) Math.floorMod(entry.startedAtMillis(), 1000L);
            to.append((char) ('0' + millis / 100))
                    .append((char) ('0' + millis / 10 % 10))
                    .append((char) ('0' + millis % 10))
                    .append("Z\"");
            text(to, "listener", connection.listener().name());
            text(to, "client", connection.remoteAddress());
            number(to, "client_port", connection.remote().getPort());
            text(to, "protocol", connection.protocol());
            if (tls != null) {
                text(to, "tls", tls.version());
                text(to, "sni", tls.serverName());
            }
            text(to, "method", entry.method());
            text(to, "host", entry.authority());
            text(to, "target", entry.target());
            number(to, "status", entry.status());
            text(to, "error", entry.error() == null ? null : entry.error().flag());
            number(to, "bytes_in", entry.bytesIn());
            number(to, "bytes_out", entry.bytesOut());
            millis(to, "duration_ms", entry.totalNanos());
            if (entry.connectNanos() >= 0) {
                millis(to, "connect_ms", entry.connectNanos());
            }
            if (entry.firstByteNanos() >= 0) {
                millis(to, "first_byte_ms", entry.firstByteNanos());
            }
            text(to, "request_id", entry.requestId());
            text(to, "user_agent", entry.userAgent());
            text(to, "referer", entry.referer());
            text(to, "route", entry.route() == null ? null : entry.route().toString());
            text(to, "upstream", entry.upstream() == null ? null : entry.upstream().toString());
            text(to, "endpoint", entry.endpoint() == null ? null : entry.endpoint().toString());
            if (entry.attempts() > 1) {
                number(to, "attempts", entry.attempts());
            }
            if (entry.webSocket()) {
                to.append(",\"websocket\":true");
            }
            to.append('}');
        }

        private static void text(StringBuilder to, String key, @Nullable String value) {
            if (value == null) {
                return;
            }
            to.append(",\"").append(key).append("\":\"");
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c == '"' || c == '\\') {
                    to.append('\\').append(c);
                } else if (c >= ' ' && c < 0x7f) {
                    to.append(c);
                } else {
                    to.append("\\u").append(HEX.toHexDigits(c));
                }
            }
            to.append('"');
        }

        private static void number(StringBuilder to, String key, long value) {
            to.append(",\"").append(key).append("\":").append(value);
        }

        /** With three digits after the point. */
        private static void millis(StringBuilder to, String key, long nanos) {
            long micros = Math.max(0, nanos) / 1000;
            int rest = (int) (micros % 1000);
            to.append(",\"").append(key).append("\":").append(micros / 1000).append('.');
            to.append((char) ('0' + rest / 100))
                    .append((char) ('0' + rest / 10 % 10))
                    .append((char) ('0' + rest % 10));
        }
    }

    private static final class Common extends LineFormat {
        Common() {
            super("dd/MMM/yyyy:HH:mm:ss");
        }

        @Override
        void append(Entry entry, StringBuilder to) {
            to.append(entry.connection().remoteAddress()).append(" - - [");
            to.append(second(entry.startedAtMillis())).append(" +0000] \"");
            quoted(to, entry.method());
            to.append(' ');
            quoted(to, entry.target());
            to.append(' ').append(protocol(entry)).append("\" ");
            to.append(entry.status()).append(' ').append(entry.bytesOut()).append(" \"");
            quoted(to, entry.referer() == null ? "-" : entry.referer());
            to.append("\" \"");
            quoted(to, entry.userAgent() == null ? "-" : entry.userAgent());
            to.append('"');
        }

        private static String protocol(Entry entry) {
            return entry.connection().protocol().equals("h2") ? "HTTP/2.0" : "HTTP/1.1";
        }

        /** As Apache does it: a quote and a backslash get one, the rest becomes {@code \xhh}. */
        private static void quoted(StringBuilder to, String value) {
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c == '"' || c == '\\') {
                    to.append('\\').append(c);
                } else if (c >= ' ' && c < 0x7f) {
                    to.append(c);
                } else if (c <= 0xff) {
                    to.append("\\x").append(HEX.toHexDigits((byte) c));
                } else {
                    to.append('?');
                }
            }
        }
    }
}
