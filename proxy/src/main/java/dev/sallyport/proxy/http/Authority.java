package dev.sallyport.proxy.http;

import dev.sallyport.model.name.Hostname;
import org.jspecify.annotations.Nullable;

/**
 * Whom a request is meant for: a Host field, an {@code :authority} or the authority of an absolute
 * target, proven to be a host with an optional port and nothing else.
 *
 * <p>Narrower than RFC 3986 on purpose: a host is letters, digits, {@code . - _}, or an IPv6
 * address in brackets. Percent-encoding, user information, an empty label and an empty port have no
 * meaning for HTTP and are where parsers disagree.
 *
 * @param text to the letter; empty where the request names nobody
 * @param host normalised as {@link Hostname#normalise} does; IPv6 addresses in brackets
 * @param port 0 to 65535; -1 where none is named
 */
public record Authority(String text, String host, int port) {

    /** Of a request that names nobody, which only HTTP/1.0 may. */
    public static final Authority NONE = new Authority("", "", -1);

    private static final int MAX_LABEL = 63;

    /** Null where {@code text} is not {@code host[:port]}. */
    public static @Nullable Authority parse(String text) {
        if (text.isEmpty()) {
            return null;
        }
        int hostEnd = text.charAt(0) == '[' ? ipv6End(text) : nameEnd(text);
        if (hostEnd < 1) {
            return null;
        }
        int port = hostEnd == text.length() ? -1 : parsePort(text, hostEnd);
        return port == BAD_PORT
                ? null
                : new Authority(text, Hostname.normalise(text.substring(0, hostEnd)), port);
    }

    /** The port, or the scheme's own where none is named. */
    public int portOr(String scheme) {
        return port >= 0 ? port : scheme.equals("https") ? 443 : 80;
    }

    /** Whether both mean the same host and port of {@code scheme}. */
    public boolean sameAs(Authority other, String scheme) {
        return host.equals(other.host) && portOr(scheme) == other.portOr(scheme);
    }

    private static final int BAD_PORT = -2;

    /** The index after the host name, or -1. */
    private static int nameEnd(String text) {
        int labelStart = 0;
        int i = 0;
        for (; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ':') {
                break;
            }
            if (c == '.') {
                if (i == labelStart || i - labelStart > MAX_LABEL) {
                    return -1;
                }
                labelStart = i + 1;
            } else if (!isNameCharacter(c)) {
                return -1;
            }
        }
        boolean rooted = i > 1 && labelStart == i; // one dot at the end is the root's
        return (i == labelStart && !rooted)
                        || i - labelStart > MAX_LABEL
                        || i - (rooted ? 1 : 0) > Hostname.MAX_LENGTH
                ? -1
                : i;
    }

    private static boolean isNameCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || (c >= 'A' && c <= 'Z')
                || c == '_';
    }

    /** The index after the closing bracket of an IPv6 address, or -1. */
    private static int ipv6End(String text) {
        int close = text.indexOf(']');
        return close > 2
                        && io.netty.util.NetUtil.isValidIpV6Address(text.substring(1, close))
                        && text.indexOf('%') < 0 // a zone means something on the sender's host only
                ? close + 1
                : -1;
    }

    private static int parsePort(String text, int colon) {
        int digits = text.length() - colon - 1;
        if (text.charAt(colon) != ':' || digits < 1 || digits > 5) {
            return BAD_PORT;
        }
        int port = 0;
        for (int i = colon + 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return BAD_PORT;
            }
            port = port * 10 + (c - '0');
        }
        return port > 65535 ? BAD_PORT : port;
    }
}
