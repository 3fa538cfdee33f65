package dev.sallyport.proxy.http;

import dev.sallyport.proxy.filter.ResponseFields;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The gateway's own answers: plain text for people, JSON for who accepts it. They say what is wrong
 * and the request id, never anything about the inside.
 */
final class ErrorResponses {
    private static final String PLAIN = "text/plain; charset=utf-8";
    private static final String JSON = "application/json";

    private final HttpDate date;
    private final ResponseFields fields;

    ErrorResponses(HttpDate date, ResponseFields fields) {
        this.date = date;
        this.fields = fields;
    }

    /**
     * Answers with an error, whole.
     *
     * @param accept the client's Accept fields, as far as they were read
     */
    void sendError(ClientStream stream, ProxyError why, String requestId, List<String> accept) {
        HttpHeaders headers = newHeaders(stream);
        if (why == ProxyError.METHOD_NOT_ALLOWED) {
            headers.add(HttpHeaderNames.ALLOW, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        } else if (why == ProxyError.OVERLOADED || why == ProxyError.DRAINING) {
            headers.add(HttpHeaderNames.RETRY_AFTER, "1");
        }
        headers.add(HttpHeaderNames.CACHE_CONTROL, "no-store");
        int status = why.status();
        if (Accept.wantsJson(accept)) {
            send(stream, status, headers, JSON, json(why, requestId));
        } else {
            send(stream, status, headers, PLAIN, plain(why, requestId));
        }
    }

    /** Sends the client elsewhere. */
    void sendRedirect(ClientStream stream, int status, String location) {
        HttpHeaders headers = newHeaders(stream);
        headers.add(HttpHeaderNames.LOCATION, location);
        stream.sendHead(status, headers, 0, true);
    }

    /** Answers an ACME challenge: "the content type SHOULD be application/octet-stream". */
    void sendKeyAuthorization(ClientStream stream, String text) {
        HttpHeaders headers = newHeaders(stream);
        headers.add(HttpHeaderNames.CACHE_CONTROL, "no-store");
        send(stream, 200, headers, "application/octet-stream", text);
    }

    private HttpHeaders newHeaders(ClientStream stream) {
        // What is put in is ours and right.
        HttpHeaders headers =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        headers.add(HttpHeaderNames.DATE, date.now());
        fields.addHsts(headers, stream.connection());
        return headers;
    }

    private static void send(
            ClientStream stream, int status, HttpHeaders headers, String type, String text) {
        headers.add(HttpHeaderNames.CONTENT_TYPE, type);
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        stream.sendHead(status, headers, body.length, false);
        stream.sendData(Unpooled.wrappedBuffer(body), true);
    }

    private static String plain(ProxyError why, String requestId) {
        return why.status()
                + " "
                + HttpResponseStatus.valueOf(why.status()).reasonPhrase()
                + "\n\n"
                + message(why)
                + "\nRequest: "
                + requestId
                + "\n";
    }

    private static String json(ProxyError why, String requestId) {
        // Request ids of trusted peers are printable, but may have quotes.
        String id = requestId.replace("\\", "\\\\").replace("\"", "\\\"");
        return "{\"status\":"
                + why.status()
                + ",\"error\":\""
                + why.flag()
                + "\",\"message\":\""
                + message(why)
                + "\",\"requestId\":\""
                + id
                + "\"}\n";
    }

    private static String message(ProxyError why) {
        return switch (why) {
            case BAD_REQUEST -> "The request could not be understood.";
            case METHOD_NOT_ALLOWED -> "This method is not supported.";
            case HEADER_TIMEOUT -> "The request did not arrive in time.";
            case BODY_TIMEOUT -> "The request body did not arrive in time.";
            case BODY_TOO_LARGE -> "The request body is too large.";
            case URI_TOO_LONG -> "The address is too long.";
            case EXPECTATION_FAILED -> "Only the expectation 100-continue is supported.";
            case MISDIRECTED -> "This host is not served on this connection.";
            case HEADERS_TOO_LARGE -> "The header fields are too many or too large.";
            case CLIENT_GONE, CLIENT_STALLED -> "The client went away.";
            case NO_ROUTE -> "Nothing is served at this address.";
            case NO_ENDPOINT -> "The service has no instance that is ready.";
            case OVERLOADED -> "The gateway is at its limit; try again shortly.";
            case DRAINING -> "The gateway is going down; try again.";
            case REQUEST_TIMEOUT -> "The request took too long.";
            case INTERNAL -> "The gateway failed.";
            case CONNECT_FAILED -> "The service could not be reached.";
            case CONNECT_TIMEOUT -> "The service could not be reached in time.";
            case RESPONSE_TIMEOUT -> "The service did not answer in time.";
            case UPSTREAM_RESET -> "The service closed the connection.";
            case BAD_RESPONSE -> "The service gave an answer that could not be understood.";
            case RESPONSE_TRUNCATED -> "The service broke off its answer.";
        };
    }
}
