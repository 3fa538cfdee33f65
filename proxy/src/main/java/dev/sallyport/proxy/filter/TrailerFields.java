package dev.sallyport.proxy.filter;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Edits trailer fields, in both directions. RFC 9110 section 6.5.1: fields must not be sent as
 * trailers where they are "necessary for message framing, routing, request modifiers,
 * authentication, response control data, or determining how to process the content"; such fields
 * are dropped.
 */
public final class TrailerFields {
    private static final Set<String> FORBIDDEN =
            Set.of(
                    "age",
                    "authorization",
                    "cache-control",
                    "content-encoding",
                    "content-range",
                    "content-type",
                    "cookie",
                    "date",
                    "expect",
                    "expires",
                    "if-match",
                    "if-modified-since",
                    "if-none-match",
                    "if-range",
                    "if-unmodified-since",
                    "location",
                    "max-forwards",
                    "pragma",
                    "range",
                    "retry-after",
                    "set-cookie",
                    "strict-transport-security",
                    "vary",
                    "warning",
                    "www-authenticate");

    private TrailerFields() {}

    /** Removes what may not be there. Returns false where a field could not be sent as it is. */
    public static boolean edit(HttpHeaders trailers) {
        List<CharSequence> unwanted = new ArrayList<>();
        for (Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                        trailers.iteratorCharSequence();
                fields.hasNext(); ) {
            Map.Entry<CharSequence, CharSequence> field = fields.next();
            CharSequence name = field.getKey();
            if (!FieldSyntax.isName(name) || !FieldSyntax.isValue(field.getValue())) {
                return false;
            }
            if (FieldKind.of(name) != FieldKind.NONE
                    || FORBIDDEN.contains(name.toString().toLowerCase(Locale.ROOT))) {
                unwanted.add(name);
            }
        }
        unwanted.forEach(trailers::remove);
        return true;
    }
}
