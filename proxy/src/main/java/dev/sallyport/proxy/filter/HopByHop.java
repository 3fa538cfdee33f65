package dev.sallyport.proxy.filter;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Takes out the fields that are meant for one connection only, RFC 9110 section 7.6.1, and those of
 * the framing, which each side writes anew.
 *
 * <p>Proxy-Authenticate and Proxy-Authorization are taken out as well: a gateway is no proxy that a
 * client chose, so credentials for one reach nobody, and a backend cannot ask for them.
 */
final class HopByHop {
    private static final int MAX_OPTIONS = 32;

    private HopByHop() {}

    /**
     * Removes what the Connection field names, but for the fields that have a meaning of their own
     * here: a client cannot talk us out of Host or X-Forwarded-For.
     *
     * @return false where it names absurdly many
     */
    static boolean removeNamed(HttpHeaders headers) {
        List<String> values = headers.getAll(HttpHeaderNames.CONNECTION);
        int options = 0;
        for (int v = 0; v < values.size(); v++) {
            String value = values.get(v);
            int start = 0;
            while (start <= value.length()) {
                int comma = value.indexOf(',', start);
                int end = comma < 0 ? value.length() : comma;
                String option = value.substring(start, end).strip();
                start = end + 1;
                if (option.isEmpty() || isUsual(option)) {
                    continue;
                }
                if (++options > MAX_OPTIONS) {
                    return false;
                }
                if (FieldKind.of(option) == FieldKind.NONE) {
                    headers.remove(option);
                }
            }
        }
        return true;
    }

    /** Removes the fields of the kinds in {@code found}. */
    static void remove(HttpHeaders headers, int found) {
        remove(headers, found, FieldKind.CONNECTION, HttpHeaderNames.CONNECTION);
        remove(headers, found, FieldKind.KEEP_ALIVE, FieldKind.KEEP_ALIVE_NAME);
        remove(headers, found, FieldKind.PROXY_CONNECTION, FieldKind.PROXY_CONNECTION_NAME);
        remove(headers, found, FieldKind.TRANSFER_ENCODING, HttpHeaderNames.TRANSFER_ENCODING);
        remove(headers, found, FieldKind.UPGRADE, HttpHeaderNames.UPGRADE);
        remove(headers, found, FieldKind.HTTP2_SETTINGS, FieldKind.HTTP2_SETTINGS_NAME);
        remove(headers, found, FieldKind.PROXY_AUTHENTICATE, HttpHeaderNames.PROXY_AUTHENTICATE);
        remove(headers, found, FieldKind.PROXY_AUTHORIZATION, HttpHeaderNames.PROXY_AUTHORIZATION);
        remove(headers, found, FieldKind.CONTENT_LENGTH, HttpHeaderNames.CONTENT_LENGTH);
        if ((found & FieldKind.TE) != 0) {
            boolean trailers = headers.containsValue(FieldKind.TE_NAME, "trailers", true);
            headers.remove(FieldKind.TE_NAME);
            if (trailers) {
                headers.add(FieldKind.TE_NAME, "trailers"); // we do pass trailers on
            }
        }
    }

    static void remove(HttpHeaders headers, int found, int kind, AsciiString name) {
        if ((found & kind) != 0) {
            headers.remove(name);
        }
    }

    /** Removes every field with a kind in {@code unwanted}, whatever its name. */
    static void removeKinds(HttpHeaders headers, int unwanted) {
        List<CharSequence> names = new ArrayList<>();
        for (Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                        headers.iteratorCharSequence();
                fields.hasNext(); ) {
            CharSequence name = fields.next().getKey();
            if ((FieldKind.of(name) & unwanted) != 0) {
                names.add(name);
            }
        }
        names.forEach(headers::remove);
    }

    private static boolean isUsual(String option) {
        return option.equalsIgnoreCase("keep-alive")
                || option.equalsIgnoreCase("close")
                || option.equalsIgnoreCase("upgrade");
    }
}
