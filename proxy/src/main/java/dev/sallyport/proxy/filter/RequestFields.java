package dev.sallyport.proxy.filter;

import dev.sallyport.proxy.ProxySettings.Forwarding;
import dev.sallyport.proxy.http.Authority;
import dev.sallyport.proxy.http.ClientConnection;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Edits the header fields of requests: takes out what is for this connection only and what the
 * client may not claim, puts in who it is and how it came.
 *
 * <p>A peer in a trusted block keeps its X-Forwarded fields, Forwarded and X-Request-ID, and is
 * appended to the first two; of anybody else all of them are dropped, X-Real-IP too. Names that a
 * backend may mistake for one of these ({@code X_Forwarded_For}) are dropped whoever sends them.
 *
 * <p>Immutable; safe from any thread.
 */
public final class RequestFields {
    private static final AsciiString X_FORWARDED_FOR = AsciiString.cached("x-forwarded-for");
    private static final AsciiString X_FORWARDED_PROTO = AsciiString.cached("x-forwarded-proto");
    private static final AsciiString X_FORWARDED_HOST = AsciiString.cached("x-forwarded-host");
    private static final AsciiString X_FORWARDED_PORT = AsciiString.cached("x-forwarded-port");

    private static final int CLAIMS =
            FieldKind.X_FORWARDED
                    | FieldKind.FORWARDED
                    | FieldKind.X_REAL_IP
                    | FieldKind.X_REQUEST_ID;
    private static final int MAX_REQUEST_ID = 128;

    private final CidrSet trusted;
    private final boolean forwarded;

    /**
     * Reads the settings.
     *
     * @throws IllegalArgumentException where a trusted block is none
     */
    public RequestFields(Forwarding forwarding) {
        this.trusted = CidrSet.parse(forwarding.trustedProxies());
        this.forwarded = forwarding.forwarded();
    }

    /** Whether what the peer says about those before it is believed. */
    public boolean trusts(ClientConnection connection) {
        return trusted.contains(connection.remote().getAddress());
    }

    /** The request id that a trusted peer sent; null where there is none that can be used. */
    public @Nullable String requestId(HttpHeaders headers) {
        String id = headers.get(FieldKind.X_REQUEST_ID_NAME);
        if (id == null || id.isEmpty() || id.length() > MAX_REQUEST_ID) {
            return null;
        }
        for (int i = 0; i < id.length(); i++) {
            if (id.charAt(i) <= ' ' || id.charAt(i) >= 0x7f) {
                return null;
            }
        }
        return id;
    }

    /** Whether a trusted peer says that its client came by HTTPS. */
    public boolean cameByHttps(HttpHeaders headers) {
        return "https".equalsIgnoreCase(headers.get(X_FORWARDED_PROTO));
    }

    /**
     * Makes the fields of a request those that the backend is sent.
     *
     * @param trusts what {@link #trusts} said
     * @param chunked whether the body has no announced length, so that there may be trailers
     * @return false where the Connection field is absurd: a bad request
     */
    public boolean edit(
            HttpHeaders headers,
            ClientConnection connection,
            Authority authority,
            String requestId,
            boolean trusts,
            boolean chunked) {
        int found = FieldKind.NONE;
        for (Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                        headers.iteratorCharSequence();
                fields.hasNext(); ) {
            found |= FieldKind.of(fields.next().getKey());
        }
        if ((found & FieldKind.CONNECTION) != 0 && !HopByHop.removeNamed(headers)) {
            return false;
        }
        HopByHop.remove(headers, found);
        if (!chunked) {
            HopByHop.remove(headers, found, FieldKind.TRAILER, HttpHeaderNames.TRAILER);
        }
        int unwanted = FieldKind.ALIAS | (trusts ? 0 : CLAIMS);
        if ((found & unwanted) != 0) {
            HopByHop.removeKinds(headers, unwanted);
        }
        if (trusts) {
            append(headers, connection, authority, requestId);
        } else {
            put(headers, connection, authority, requestId);
        }
        if ((found & FieldKind.HOST) == 0) {
            // RFC 9112 section 3.2: "If the authority component is missing or undefined for the
            // target URI, then a client MUST send a Host header field with an empty field value."
            headers.add(HttpHeaderNames.HOST, authority.text());
        }
        return true;
    }

    private void put(
            HttpHeaders headers,
            ClientConnection connection,
            Authority authority,
            String requestId) {
        headers.add(X_FORWARDED_FOR, connection.remoteAddress());
        headers.add(X_FORWARDED_PROTO, connection.scheme());
        if (!authority.text().isEmpty()) {
            headers.add(X_FORWARDED_HOST, authority.text());
        }
        headers.add(X_FORWARDED_PORT, port(connection.scheme(), authority));
        headers.add(FieldKind.X_REQUEST_ID_NAME, requestId);
        if (forwarded) {
            headers.add(FieldKind.FORWARDED_NAME, element(connection, authority));
        }
    }

    private void append(
            HttpHeaders headers,
            ClientConnection connection,
            Authority authority,
            String requestId) {
        headers.set(
                X_FORWARDED_FOR,
                appended(headers.getAll(X_FORWARDED_FOR), connection.remoteAddress()));
        addIfMissing(headers, X_FORWARDED_PROTO, connection.scheme());
        if (!authority.text().isEmpty()) {
            addIfMissing(headers, X_FORWARDED_HOST, authority.text());
        }
        String scheme = cameByHttps(headers) ? "https" : connection.scheme();
        addIfMissing(headers, X_FORWARDED_PORT, port(scheme, authority));
        headers.set(FieldKind.X_REQUEST_ID_NAME, requestId);
        if (forwarded) {
            headers.set(
                    FieldKind.FORWARDED_NAME,
                    appended(
                            headers.getAll(FieldKind.FORWARDED_NAME),
                            element(connection, authority)));
        }
    }

    private static void addIfMissing(HttpHeaders headers, AsciiString name, String value) {
        if (!headers.contains(name)) {
            headers.add(name, value);
        }
    }

    private static String appended(List<String> before, String last) {
        return before.isEmpty() ? last : String.join(", ", before) + ", " + last;
    }

    /** The port as the client knows it, which a Service may have mapped to ours. */
    private static String port(String scheme, Authority authority) {
        int port = authority.portOr(scheme);
        return port == 443 ? "443" : port == 80 ? "80" : Integer.toString(port);
    }

    /** RFC 7239 section 4: an IPv6 address is "always quoted and enclosed in square brackets". */
    private static String element(ClientConnection connection, Authority authority) {
        String address = connection.remoteAddress();
        StringBuilder out = new StringBuilder("for=");
        if (address.indexOf(':') >= 0) {
            out.append("\"[").append(address).append("]\"");
        } else {
            out.append(address);
        }
        if (!authority.text().isEmpty()) {
            out.append(";host=\"").append(authority.text()).append('"');
        }
        return out.append(";proto=").append(connection.scheme()).toString();
    }
}
