package dev.sallyport.proxy.log;

import dev.sallyport.proxy.http.ClientConnection;
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
    final void write(Entry entry, LineBuffer to) {
        append(entry, to);
        to.append('\n');
    }

    abstract void append(Entry entry, LineBuffer to);

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
        private static final byte[] LISTENER = key("listener");
        private static final byte[] CLIENT = key("client");
        private static final byte[] CLIENT_PORT = key("client_port");
        private static final byte[] PROTOCOL = key("protocol");
        private static final byte[] TLS = key("tls");
        private static final byte[] SNI = key("sni");
        private static final byte[] METHOD = key("method");
        private static final byte[] HOST = key("host");
        private static final byte[] TARGET = key("target");
        private static final byte[] STATUS = key("status");
        private static final byte[] ERROR = key("error");
        private static final byte[] BYTES_IN = key("bytes_in");
        private static final byte[] BYTES_OUT = key("bytes_out");
        private static final byte[] DURATION_MS = key("duration_ms");
        private static final byte[] CONNECT_MS = key("connect_ms");
        private static final byte[] FIRST_BYTE_MS = key("first_byte_ms");
        private static final byte[] REQUEST_ID = key("request_id");
        private static final byte[] USER_AGENT = key("user_agent");
        private static final byte[] REFERER = key("referer");
        private static final byte[] ROUTE = key("route");
        private static final byte[] UPSTREAM = key("upstream");
        private static final byte[] ENDPOINT = key("endpoint");
        private static final byte[] ATTEMPTS = key("attempts");

        Json() {
            super("yyyy-MM-dd'T'HH:mm:ss");
        }

        @Override
        void append(Entry entry, LineBuffer to) {
            ClientConnection connection = entry.connection();
            ClientConnection.Tls tls = connection.tls();
            to.append("{\"time\":\"").append(second(entry.startedAtMillis())).append('.');
            int millis = (int) Math.floorMod(entry.startedAtMillis(), 1000L);
            to.appendThousandths(millis).append("Z\"");
            text(to, LISTENER, connection.listener().name());
            text(to, CLIENT, connection.remoteAddress());
            number(to, CLIENT_PORT, connection.remote().getPort());
            text(to, PROTOCOL, connection.protocol());
            if (tls != null) {
                text(to, TLS, tls.version());
                text(to, SNI, tls.serverName());
            }
            text(to, METHOD, entry.method());
            text(to, HOST, entry.authority());
            text(to, TARGET, entry.target());
            number(to, STATUS, entry.status());
            text(to, ERROR, entry.error() == null ? null : entry.error().flag());
            number(to, BYTES_IN, entry.bytesIn());
            number(to, BYTES_OUT, entry.bytesOut());
            millis(to, DURATION_MS, entry.totalNanos());
            if (entry.connectNanos() >= 0) {
                millis(to, CONNECT_MS, entry.connectNanos());
            }
            if (entry.firstByteNanos() >= 0) {
                millis(to, FIRST_BYTE_MS, entry.firstByteNanos());
            }
            text(to, REQUEST_ID, entry.requestId());
            text(to, USER_AGENT, entry.userAgent());
            text(to, REFERER, entry.referer());
            text(to, ROUTE, entry.route() == null ? null : entry.route().toString());
            text(to, UPSTREAM, entry.upstream() == null ? null : entry.upstream().toString());
            text(to, ENDPOINT, entry.endpoint() == null ? null : entry.endpoint().toString());
            if (entry.attempts() > 1) {
                number(to, ATTEMPTS, entry.attempts());
            }
            if (entry.webSocket()) {
                to.append(",\"websocket\":true");
            }
            to.append('}');
        }

        private static byte[] key(String name) {
            return (",\"" + name + "\":").getBytes(StandardCharsets.US_ASCII);
        }

        private static void text(LineBuffer to, byte[] key, @Nullable String value) {
            if (value == null) {
                return;
            }
            to.append(key).append('"');
            int at = to.appendPlain(value, 0);
            while (at < value.length()) {
                char c = value.charAt(at);
                if (c == '"' || c == '\\') {
                    to.append('\\').append(c);
                } else {
                    to.append("\\u").append(HEX.toHexDigits(c));
                }
                at = to.appendPlain(value, at + 1);
            }
            to.append('"');
        }

        private static void number(LineBuffer to, byte[] key, long value) {
            to.append(key).append(value);
        }

        /** With three digits after the point. */
        private static void millis(LineBuffer to, byte[] key, long nanos) {
            long micros = Math.max(0, nanos) / 1000;
            int rest = (int) (micros % 1000);
            to.append(key).append(micros / 1000).append('.').appendThousandths(rest);
        }
    }

    private static final class Common extends LineFormat {
        Common() {
            super("dd/MMM/yyyy:HH:mm:ss");
        }

        @Override
        void append(Entry entry, LineBuffer to) {
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
        private static void quoted(LineBuffer to, String value) {
            int at = to.appendPlain(value, 0);
            while (at < value.length()) {
                char c = value.charAt(at);
                if (c == '"' || c == '\\') {
                    to.append('\\').append(c);
                } else if (c <= 0xff) {
                    to.append("\\x").append(HEX.toHexDigits((byte) c));
                } else {
                    to.append('?');
                }
                at = to.appendPlain(value, at + 1);
            }
        }
    }
}
