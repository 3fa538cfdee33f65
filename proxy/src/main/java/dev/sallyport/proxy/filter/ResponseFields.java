package dev.sallyport.proxy.filter;

import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.proxy.ProxySettings.Hsts;
import dev.sallyport.proxy.http.ClientConnection;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Edits the header fields of responses. Immutable; safe from any thread.
 *
 * <p>Nothing is said about the gateway itself: no Server, no Via.
 */
public final class ResponseFields {
    private static final AsciiString STRICT_TRANSPORT_SECURITY =
            AsciiString.cached("strict-transport-security");

    private final @Nullable AsciiString hsts;

    /** With a Strict-Transport-Security field, or without. */
    public ResponseFields(Optional<Hsts> hsts) {
        this.hsts = hsts.map(ResponseFields::textOf).orElse(null);
    }

    /**
     * Makes the fields of a backend's response, interim ones too, those that the client is sent.
     *
     * @return false where a field could not be sent as it is: a bad response
     */
    public boolean edit(HttpHeaders headers, boolean trailersMayCome) {
        int found = FieldKind.NONE;
        for (Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                        headers.iteratorCharSequence();
                fields.hasNext(); ) {
            Map.Entry<CharSequence, CharSequence> field = fields.next();
            if (!FieldSyntax.isName(field.getKey()) || !FieldSyntax.isValue(field.getValue())) {
                return false;
            }
            found |= FieldKind.of(field.getKey());
        }
        if ((found & FieldKind.CONNECTION) != 0 && !HopByHop.removeNamed(headers)) {
            return false;
        }
        HopByHop.remove(headers, found & ~FieldKind.TE);
        if (!trailersMayCome) {
            HopByHop.remove(headers, found, FieldKind.TRAILER, HttpHeaderNames.TRAILER);
        }
        return true;
    }

    /**
     * Adds Strict-Transport-Security where it is configured and the backend sent none. RFC 6797
     * section 7.2 forbids it on plain connections; with a default, self-signed or temporary
     * certificate it would lock people out of a host that is not set up yet.
     */
    public void addHsts(HttpHeaders headers, ClientConnection connection) {
        if (hsts != null
                && isProper(connection.tls())
                && !headers.contains(STRICT_TRANSPORT_SECURITY)) {
            headers.add(STRICT_TRANSPORT_SECURITY, hsts);
        }
    }

    private static boolean isProper(ClientConnection.@Nullable Tls tls) {
        if (tls == null || (tls.fallback() && !coversItsName(tls))) {
            return false;
        }
        List<ServedCertificate> certificates = tls.certificates().certificates();
        for (int i = 0; i < certificates.size(); i++) {
            ServedCertificate served = certificates.get(i);
            if (served.temporary() || served.bundle().selfSigned()) {
                return false;
            }
        }
        return true;
    }

    /**
     * A configured default certificate is as good as any where it covers what the client asked for.
     */
    private static boolean coversItsName(ClientConnection.Tls tls) {
        String name = tls.serverName();
        return name != null && tls.certificates().covers(name);
    }

    private static AsciiString textOf(Hsts hsts) {
        return AsciiString.of(
                "max-age="
                        + hsts.maxAge().toSeconds()
                        + (hsts.includeSubDomains() ? "; includeSubDomains" : "")
                        + (hsts.preload() ? "; preload" : ""));
    }
}
