package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.http.Authority;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.RequestHead;
import dev.sallyport.proxy.http.RequestTarget;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.util.AsciiString;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of header blocks. One for each connection, since the requests of one mostly name
 * the same authority.
 */
final class RequestReader {
    private static final AsciiString CONNECT = AsciiString.cached("CONNECT");
    private static final AsciiString OPTIONS = AsciiString.cached("OPTIONS");
    private static final AsciiString HTTP = AsciiString.cached("http");
    private static final AsciiString HTTPS = AsciiString.cached("https");
    private static final AsciiString WEBSOCKET = AsciiString.cached("websocket");
    private static final AsciiString ASTERISK = AsciiString.cached("*");

    private final ProxySettings settings;
    private final String scheme;
    private @Nullable AsciiString lastAuthorityText;
    private Authority lastAuthority = Authority.NONE;

    RequestReader(ProxySettings settings, ClientConnection connection) {
        this.settings = settings;
        this.scheme = connection.secure() ? "https" : "http";
    }

    /** The request that {@code fields} are the head of. */
    Reading read(RequestFields fields, boolean endOfStream) {
        if (fields.malformed()) {
            return Reading.Malformed.MALFORMED;
        }
        if (fields.tooLarge()) {
            return new Reading.Refused(ProxyError.HEADERS_TOO_LARGE);
        }
        AsciiString method = fields.requestMethod();
        AsciiString claimedScheme = fields.requestScheme();
        AsciiString path = fields.requestPath();
        AsciiString protocol = fields.protocol();
        if (method == null) {
            return Reading.Malformed.MALFORMED;
        }
        boolean connect = method.contentEquals(CONNECT);
        if (protocol != null && !connect) {
            return Reading.Malformed.MALFORMED; // RFC 8441 section 4
        }
        if (connect && protocol == null) {
            // RFC 9113 section 8.5: authority, and neither scheme nor path.
            return claimedScheme == null && path == null && fields.requestAuthority() != null
                    ? new Reading.Refused(ProxyError.METHOD_NOT_ALLOWED)
                    : Reading.Malformed.MALFORMED;
        }
        if (claimedScheme == null
                || path == null
                || !isHttp(claimedScheme)
                || !isPath(path, method)
                || hostDiffers(fields)) {
            return Reading.Malformed.MALFORMED;
        }
        long length = fields.contentLength();
        if (length > 0 && endOfStream) {
            return Reading.Malformed.MALFORMED;
        }
        if (protocol != null && !protocol.contentEqualsIgnoreCase(WEBSOCKET)) {
            return new Reading.Refused(ProxyError.METHOD_NOT_ALLOWED);
        }
        return request(fields, method, path, protocol != null, endOfStream);
    }

    private Reading request(
            RequestFields fields,
            AsciiString method,
            AsciiString path,
            boolean webSocket,
            boolean endOfStream) {
        if (path.length() > settings.limits().uriBytes()) {
            return new Reading.Refused(ProxyError.URI_TOO_LONG);
        }
        String methodName = webSocket ? "GET" : method.toString();
        Authority authority = authority(fields);
        RequestTarget target =
                path.contentEquals(ASTERISK)
                        ? RequestTarget.ASTERISK
                        : RequestTarget.parse(path.toString(), settings.escapedSlashes());
        if (authority == null
                || target == null
                || !RequestHead.isMethod(methodName)
                || (webSocket && endOfStream)) {
            return new Reading.Refused(ProxyError.BAD_REQUEST);
        }
        if (RequestHead.isRefused(methodName)) {
            return new Reading.Refused(ProxyError.METHOD_NOT_ALLOWED);
        }
        AsciiString expect = fields.expect();
        if (expect != null && !expect.contentEqualsIgnoreCase(HttpHeaderValues.CONTINUE)) {
            return new Reading.Refused(ProxyError.EXPECTATION_FAILED);
        }
        return new Reading.Request(
                new RequestHead(
                        methodName,
                        scheme,
                        authority,
                        target,
                        fields.takeHeaders(),
                        bodyLength(fields, webSocket, endOfStream),
                        endOfStream,
                        webSocket,
                        expect != null && !endOfStream));
    }

    private static long bodyLength(RequestFields fields, boolean webSocket, boolean endOfStream) {
        return endOfStream || webSocket ? 0 : fields.contentLength();
    }

    private static boolean isHttp(AsciiString scheme) {
        return scheme.contentEquals(HTTPS) || scheme.contentEquals(HTTP);
    }

    /** RFC 9113 section 8.3.1. */
    private static boolean isPath(AsciiString path, AsciiString method) {
        return !path.isEmpty()
                && (path.byteAt(0) == '/'
                        || (path.contentEquals(ASTERISK) && method.contentEquals(OPTIONS)));
    }

    /** RFC 9113 section 8.3.1: "SHOULD treat a request as malformed". */
    private static boolean hostDiffers(RequestFields fields) {
        AsciiString host = fields.host();
        AsciiString authority = fields.requestAuthority();
        return host != null && authority != null && !host.contentEqualsIgnoreCase(authority);
    }

    private @Nullable Authority authority(RequestFields fields) {
        AsciiString text = fields.requestAuthority();
        if (text == null) {
            text = fields.host();
        }
        if (text == null) {
            return null; // both schemes have a mandatory authority
        }
        if (text.equals(lastAuthorityText)) {
            return lastAuthority;
        }
        Authority parsed = Authority.parse(text.toString());
        if (parsed != null) {
            lastAuthorityText = text;
            lastAuthority = parsed;
        }
        return parsed;
    }
}
