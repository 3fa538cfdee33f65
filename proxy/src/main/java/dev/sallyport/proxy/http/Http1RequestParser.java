package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.filter.FieldSyntax;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads request heads of HTTP/1.1 and 1.0, RFC 9112, and trailer sections. Strict: whatever two
 * parsers may read differently is refused, where the RFC lets a server choose it is refused too.
 *
 * <p>One per connection, used again and again. A head is copied out of the socket's buffer once,
 * and names and values are views of that copy.
 */
final class Http1RequestParser {
    private static final HttpHeadersFactory FIELDS =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false); // done here
    private static final byte[] NOTHING = {};
    private static final int FIELD_OVERHEAD = 32; // as HTTP/2 counts, RFC 9113 section 6.5.2
    private static final int AROUND_TARGET = 48; // method, version and two spaces
    private static final int KEPT = 64 * 1024; // of a head that is refused before its end
    private static final String ACCEPT = "accept:";

    private final ProxySettings settings;
    private final ProxySettings.Limits limits;

    // The scan for the end, relative to the reader index: it goes on where it stopped.
    private int position;
    private int lineStart;
    private int headStart;
    private int lines;
    private int fieldBytes;

    // The head.
    private @Nullable ProxyError error;
    private byte[] bytes = NOTHING;
    private byte[] refused = NOTHING; // of which nothing is sure
    private int at;
    private String method = "";
    private String targetText = "";
    private String hostText = "";
    private @Nullable RequestTarget target;
    private Authority authority = Authority.NONE;
    private HttpHeaders headers = FIELDS.newEmptyHeaders();
    private boolean http10;
    private boolean close;
    private boolean chunked;
    private long contentLength;
    private boolean expectsContinue;
    private boolean webSocket;

    // The fields that frame the message, while they are read.
    private int hosts;
    private int lengths;
    private int codings;
    private int expectations;
    private boolean upgradeOption;
    private boolean upgradeWebSocket;

    Http1RequestParser(ProxySettings settings) {
        this.settings = settings;
        this.limits = settings.limits();
    }

    /** Whether {@link #read} read a head, needs more bytes, or refuses: see {@link #error}. */
    enum Outcome {
        HEAD,
        INCOMPLETE,
        REFUSED
    }

    /** Reads a head from {@code in} if the whole of it is there; else nothing is consumed. */
    Outcome read(ByteBuf in) {
        error = null;
        if (lines == 0 && position == 0) {
            clear();
        }
        int end = scan(in, false);
        if (end == 0) {
            return Outcome.INCOMPLETE;
        }
        if (end < 0) {
            refused =
                    ByteBufUtil.getBytes(in, in.readerIndex(), Math.min(in.readableBytes(), KEPT));
            return Outcome.REFUSED;
        }
        in.skipBytes(headStart);
        bytes = new byte[end - headStart];
        in.readBytes(bytes);
        resetScan();
        at = 0;
        if (parseHead()) {
            return Outcome.HEAD;
        }
        refused = bytes;
        return Outcome.REFUSED;
    }

    /**
     * Reads a trailer section with the empty line at its end.
     *
     * @return null where it is incomplete, or refused: then {@link #error} is not null
     */
    @Nullable HttpHeaders readTrailers(ByteBuf in) {
        error = null;
        int end = scan(in, true);
        if (end <= 0) {
            return null;
        }
        bytes = new byte[end];
        in.readBytes(bytes);
        resetScan();
        at = 0;
        HttpHeaders trailers = FIELDS.newHeaders();
        return parseFields(trailers, true) ? trailers : null;
    }

    /** Why it was refused, or null. */
    @Nullable ProxyError error() {
        return error;
    }

    /** As far as it was read; else empty. */
    String method() {
        return method;
    }

    /** As far as it was read; else empty. */
    String targetText() {
        return targetText;
    }

    /** As far as it was read; else empty. */
    String hostText() {
        return hostText;
    }

    /** The values of Accept fields in a head that was refused, wherever reading it ended. */
    List<String> accept() {
        List<String> values = new ArrayList<>(1);
        String text = new String(refused, StandardCharsets.ISO_8859_1);
        boolean begun = false;
        for (String line : text.split("\r\n", -1)) {
            if (line.isEmpty() && begun) {
                break;
            }
            begun |= !line.isEmpty();
            if (line.regionMatches(true, 0, ACCEPT, 0, ACCEPT.length())) {
                values.add(line.substring(ACCEPT.length()));
            }
        }
        return values;
    }

    boolean http10() {
        return http10;
    }

    /** Whether the client wants the connection closed after the response. */
    boolean close() {
        return close;
    }

    boolean chunked() {
        return chunked;
    }

    /** The length of the body where it is not chunked. */
    long contentLength() {
        return contentLength;
    }

    /** The head that was read. */
    RequestHead head(String scheme) {
        RequestTarget parsed = target;
        if (parsed == null) {
            throw new IllegalStateException("no head was read");
        }
        boolean endOfStream = !chunked && contentLength == 0 && !webSocket;
        return new RequestHead(
                method,
                scheme,
                authority,
                parsed,
                headers,
                chunked ? -1 : contentLength,
                endOfStream,
                webSocket,
                expectsContinue && !endOfStream);
    }

    // ---- Where does it end?

    /** The index after the empty line, 0 where it is not there yet, -1 where it is refused. */
    private int scan(ByteBuf in, boolean trailers) {
        int start = in.readerIndex();
        int readable = in.readableBytes();
        if (!trailers && lines == 0 && readable > lineStart && !startsRequest(in, start)) {
            return refuse(ProxyError.BAD_REQUEST);
        }
        while (true) {
            int found = in.indexOf(start + position, start + readable, (byte) '\n');
            int length = (found < 0 ? endOfPart(in, start) : found - 1) - start - lineStart;
            if (tooLong(length, trailers)) {
                return -1;
            }
            if (found < 0) {
                position = readable;
                return 0;
            }
            if (length < 0 || in.getByte(found - 1) != '\r') {
                return refuse(ProxyError.BAD_REQUEST); // a bare LF
            }
            lineStart = found + 1 - start;
            position = lineStart;
            if (length > 0) {
                lines++;
                if (lines > 1 || trailers) {
                    fieldBytes += length - 1 + FIELD_OVERHEAD;
                }
            } else if (lines > 0 || trailers) {
                return lineStart;
            } else {
                // RFC 9112 section 2.2: "SHOULD ignore at least one empty line (CRLF) received
                // prior to the request-line".
                if (headStart > 0) {
                    return refuse(ProxyError.BAD_REQUEST);
                }
                headStart = lineStart;
                if (readable > lineStart && !startsRequest(in, start)) {
                    return refuse(ProxyError.BAD_REQUEST);
                }
            }
        }
    }

    /** Where an incomplete line ends: a CR may be that of its end, and is no part of it then. */
    private int endOfPart(ByteBuf in, int start) {
        int end = in.writerIndex();
        return end > start + lineStart && in.getByte(end - 1) == '\r' ? end - 1 : end;
    }

    /** Whether a method may begin here: TLS, SSH and other noise is refused at its first byte. */
    private boolean startsRequest(ByteBuf in, int start) {
        byte first = in.getByte(start + lineStart);
        return (first >= 'A' && first <= 'Z') || (first == '\r' && headStart == 0);
    }

    private boolean tooLong(int length, boolean trailers) {
        if (lines == 0 && !trailers) {
            if (length > limits.uriBytes() + AROUND_TARGET) {
                refuse(ProxyError.URI_TOO_LONG);
                return true;
            }
            return false;
        }
        if (length <= 0) {
            return false; // the empty line at the end
        }
        int fields = trailers ? lines + 1 : lines;
        int size = fieldBytes + length - 1 + FIELD_OVERHEAD;
        if (fields > limits.headerCount() || size > limits.headerBytes()) {
            refuse(ProxyError.HEADERS_TOO_LARGE);
            return true;
        }
        return false;
    }

    private int refuse(ProxyError why) {
        error = why;
        return -1;
    }

    private void resetScan() {
        position = 0;
        lineStart = 0;
        headStart = 0;
        lines = 0;
        fieldBytes = 0;
    }

    private void clear() {
        method = "";
        targetText = "";
        hostText = "";
        target = null;
        http10 = false;
        close = false;
        chunked = false;
        contentLength = 0;
        expectsContinue = false;
        webSocket = false;
        hosts = 0;
        lengths = 0;
        codings = 0;
        expectations = 0;
        upgradeOption = false;
        upgradeWebSocket = false;
    }

    // ---- What does it say?

    private boolean parseHead() {
        headers = FIELDS.newHeaders();
        return parseRequestLine()
                && parseFields(headers, false)
                && checkFraming()
                && checkTarget()
                && checkExpectation()
                && checkUpgrade();
    }

    private boolean bad() {
        error = ProxyError.BAD_REQUEST;
        return false;
    }

    private boolean parseRequestLine() {
        int methodEnd = indexOf((byte) ' ', 0);
        if (methodEnd < 0) {
            return bad();
        }
        method = methodOf(methodEnd);
        int targetEnd = indexOf((byte) ' ', methodEnd + 1);
        if (targetEnd < 0) {
            return bad();
        }
        int length = targetEnd - methodEnd - 1;
        for (int i = methodEnd + 1; i < targetEnd; i++) {
            if (bytes[i] <= ' ' || bytes[i] == 0x7f) {
                return bad(); // signed: bytes beyond ASCII are negative
            }
        }
        if (length > limits.uriBytes()) {
            error = ProxyError.URI_TOO_LONG;
            return false;
        }
        targetText = text(methodEnd + 1, targetEnd);
        if (length == 0 || !RequestHead.isMethod(method) || !parseVersion(targetEnd + 1)) {
            return bad();
        }
        return true;
    }

    /** Exactly HTTP/1.1 or HTTP/1.0, then the end of the line. */
    private boolean parseVersion(int from) {
        if (bytes.length < from + 10
                || bytes[from] != 'H'
                || bytes[from + 1] != 'T'
                || bytes[from + 2] != 'T'
                || bytes[from + 3] != 'P'
                || bytes[from + 4] != '/'
                || bytes[from + 5] != '1'
                || bytes[from + 6] != '.'
                || bytes[from + 8] != '\r'
                || bytes[from + 9] != '\n') {
            return false;
        }
        int minor = bytes[from + 7] - '0';
        http10 = minor == 0;
        at = from + 10;
        return minor == 0 || minor == 1;
    }

    private boolean parseFields(HttpHeaders into, boolean trailers) {
        while (bytes[at] != '\r' || bytes[at + 1] != '\n') {
            int nameStart = at;
            int colon = at;
            while (FieldSyntax.isTokenCharacter(bytes[colon])) {
                colon++; // ends at the line's CR at the latest
            }
            if (bytes[colon] != ':' || colon == nameStart) {
                return bad(); // a space before the colon, a folded line, no colon at all
            }
            int valueStart = colon + 1;
            while (isBlank(bytes[valueStart])) {
                valueStart++;
            }
            int end = valueStart;
            int valueEnd = valueStart;
            while (bytes[end] != '\r') {
                byte b = bytes[end++];
                if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7f) {
                    return bad();
                }
                if (!isBlank(b)) {
                    valueEnd = end;
                }
            }
            if (bytes[end + 1] != '\n') {
                return bad(); // a bare CR
            }
            AsciiString name = FieldNames.of(bytes, nameStart, colon - nameStart);
            AsciiString value = new AsciiString(bytes, valueStart, valueEnd - valueStart, false);
            if (!trailers && !note(name, value)) {
                return bad();
            }
            into.add(name, value);
            at = end + 2;
        }
        return true;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    /** Remembers the fields that decide on framing and routing. */
    private boolean note(AsciiString name, AsciiString value) {
        switch (name.length()) {
            case 4 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.HOST)) {
                    hosts++;
                    hostText = value.toString();
                }
            }
            case 6 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.EXPECT)) {
                    expectations++;
                    expectsContinue = value.contentEqualsIgnoreCase("100-continue");
                }
            }
            case 7 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.UPGRADE)) {
                    upgradeWebSocket = value.contentEqualsIgnoreCase("websocket");
                }
            }
            case 10 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.CONNECTION)) {
                    noteConnection(value);
                }
            }
            case 14 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.CONTENT_LENGTH)) {
                    lengths++;
                    contentLength = FieldSyntax.length(value);
                    return contentLength >= 0;
                }
            }
            case 17 -> {
                if (name.contentEqualsIgnoreCase(HttpHeaderNames.TRANSFER_ENCODING)) {
                    codings++;
                    chunked = value.contentEqualsIgnoreCase("chunked");
                    return chunked;
                }
            }
            default -> {}
        }
        return true;
    }

    private void noteConnection(AsciiString value) {
        if (value.contentEqualsIgnoreCase("keep-alive")) {
            return;
        }
        for (String option : value.toString().toLowerCase(Locale.ROOT).split(",", -1)) {
            String stripped = option.strip();
            close |= stripped.equals("close");
            upgradeOption |= stripped.equals("upgrade");
        }
    }

    /** RFC 9112 section 6.3, at its strictest: whatever request smuggling is made of. */
    private boolean checkFraming() {
        boolean ambiguous = lengths > 1 || codings > 1 || (lengths > 0 && codings > 0);
        return (ambiguous || (http10 && codings > 0)) ? bad() : true;
    }

    /** RFC 9112 section 3.2: exactly one Host, and one request target of the four forms. */
    private boolean checkTarget() {
        if (hosts > 1 || (hosts == 0 && !http10)) {
            return bad();
        }
        if (RequestHead.isRefused(method)) {
            error = ProxyError.METHOD_NOT_ALLOWED;
            return false;
        }
        if (hosts == 0) {
            authority = Authority.NONE;
        } else if (!hostText.equals(authority.text()) || hostText.isEmpty()) {
            Authority parsed = Authority.parse(hostText);
            if (parsed == null) {
                return bad();
            }
            authority = parsed;
        }
        target =
                switch (targetText.charAt(0)) {
                    case '/' -> RequestTarget.parse(targetText, settings.escapedSlashes());
                    case '*' ->
                            targetText.length() == 1 && method.equals("OPTIONS")
                                    ? RequestTarget.ASTERISK
                                    : null;
                    default -> parseAbsolute();
                };
        return target != null || bad();
    }

    /**
     * RFC 9112 section 3.2.2: the authority of an absolute target wins over Host. Since a backend
     * is sent Host only, the two must agree, port included.
     */
    private @Nullable RequestTarget parseAbsolute() {
        int schemeEnd = targetText.indexOf("://");
        if (schemeEnd < 0) {
            return null;
        }
        String scheme = targetText.substring(0, schemeEnd).toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            return null;
        }
        int authorityStart = schemeEnd + 3;
        int authorityEnd = authorityStart;
        while (authorityEnd < targetText.length()
                && "/?#".indexOf(targetText.charAt(authorityEnd)) < 0) {
            authorityEnd++;
        }
        Authority named = Authority.parse(targetText.substring(authorityStart, authorityEnd));
        if (named == null) {
            return null;
        }
        if (hosts == 0) {
            authority = named;
        } else if (!named.sameAs(authority, scheme)) {
            return null;
        }
        String rest = targetText.substring(authorityEnd);
        if (rest.isEmpty() && method.equals("OPTIONS")) {
            return RequestTarget.ASTERISK; // RFC 9112 section 3.2.4
        }
        return RequestTarget.parse(
                rest.startsWith("/") ? rest : "/" + rest, settings.escapedSlashes());
    }

    private boolean checkExpectation() {
        if (http10) {
            expectsContinue = false; // RFC 9110 section 10.1.1: ignored
        } else if (expectations > 1 || (expectations == 1 && !expectsContinue)) {
            error = ProxyError.EXPECTATION_FAILED;
            return false;
        }
        return true;
    }

    /**
     * A WebSocket handshake, RFC 6455 section 4.2.1; any other upgrade (h2c) is no reason to do
     * anything but answer the request.
     */
    private boolean checkUpgrade() {
        webSocket =
                upgradeWebSocket
                        && upgradeOption
                        && !http10
                        && method.equals("GET")
                        && "13".equals(headers.get(HttpHeaderNames.SEC_WEBSOCKET_VERSION))
                        && headers.contains(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        return (webSocket && (chunked || contentLength > 0)) ? bad() : true;
    }

    private int indexOf(byte wanted, int from) {
        for (int i = from; bytes[i] != '\n'; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private String methodOf(int length) {
        return switch (length) {
            case 3 -> bytes[0] == 'G' && bytes[1] == 'E' && bytes[2] == 'T' ? "GET" : text(0, 3);
            case 4 ->
                    bytes[0] == 'P' && bytes[1] == 'O' && bytes[2] == 'S' && bytes[3] == 'T'
                            ? "POST"
                            : text(0, 4);
            default -> text(0, length);
        };
    }

    private String text(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /** Field names that are seen all the time, so that their objects and hashes are made once. */
    private static final class FieldNames {
        private static final int SIZE = 512; // a power of two, several times the names
        private static final @Nullable AsciiString[] TABLE = new @Nullable AsciiString[SIZE];

        static {
            for (String name :
                    ("Accept Accept-Charset Accept-Encoding Accept-Language Authorization"
                                    + " Cache-Control Connection Content-Encoding Content-Length"
                                    + " Content-Type Cookie DNT Date Expect Forwarded Host"
                                    + " If-Match If-Modified-Since If-None-Match If-Range"
                                    + " If-Unmodified-Since Keep-Alive Origin Pragma Priority Range"
                                    + " Referer Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform"
                                    + " Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User"
                                    + " Sec-WebSocket-Extensions Sec-WebSocket-Key"
                                    + " Sec-WebSocket-Protocol Sec-WebSocket-Version TE Trailer"
                                    + " Transfer-Encoding Upgrade Upgrade-Insecure-Requests"
                                    + " User-Agent Via X-Forwarded-For X-Forwarded-Host"
                                    + " X-Forwarded-Port X-Forwarded-Proto X-Real-IP X-Request-ID"
                                    + " X-Requested-With traceparent tracestate baggage")
                            .split(" ", -1)) {
                put(name);
                put(name.toLowerCase(Locale.ROOT));
            }
        }

        static AsciiString of(byte[] bytes, int from, int length) {
            int slot = slot(bytes, from, length);
            AsciiString known = TABLE[slot];
            while (known != null) {
                if (known.length() == length
                        && Arrays.equals(known.array(), 0, length, bytes, from, from + length)) {
                    return known;
                }
                slot = (slot + 1) & (SIZE - 1);
                known = TABLE[slot];
            }
            return new AsciiString(bytes, from, length, false);
        }

        private static void put(String name) {
            byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
            AsciiString known = new AsciiString(bytes, false);
            int slot = slot(bytes, 0, bytes.length);
            while (TABLE[slot] != null) {
                if (known.equals(TABLE[slot])) {
                    return;
                }
                slot = (slot + 1) & (SIZE - 1);
            }
            TABLE[slot] = known;
        }

        private static int slot(byte[] bytes, int from, int length) {
            int hash =
                    length * 31
                            + bytes[from] * 7
                            + bytes[from + length - 1] * 13
                            + bytes[from + length / 2] * 57;
            return hash & (SIZE - 1);
        }
    }
}
