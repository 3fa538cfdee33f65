package dev.sallyport.model.name;

import java.net.IDN;
import java.util.Locale;
import java.util.Optional;

/**
 * A DNS name in lower-case ASCII (A-labels), either exact or with a wildcard as its whole first
 * label.
 */
public sealed interface Hostname {

    /** The longest name DNS can carry in text form, RFC 1035 section 2.3.4. */
    int MAX_LENGTH = 253;

    /** The name in lower-case ASCII; a wildcard starts with {@code *.}. */
    String text();

    /**
     * Whether a client asking for {@code host} is meant. A wildcard stands for exactly one label,
     * RFC 6125 section 6.4.3.
     *
     * @param host a name as {@link #normalise} returns it
     */
    boolean covers(String host);

    /** Whether every name that {@code other} stands for is covered by this one. */
    default boolean covers(Hostname other) {
        return switch (other) {
            case Exact exact -> covers(exact.text());
            case Wildcard wildcard -> equals(wildcard);
        };
    }

    /** A name that stands for itself. */
    record Exact(String text) implements Hostname {
        public Exact {
            requireLabels(text, text);
        }

        @Override
        public boolean covers(String host) {
            return text.equals(host);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * All names one label below a parent.
     *
     * @param parent the name after {@code *.}
     */
    record Wildcard(String parent) implements Hostname {
        public Wildcard {
            requireLabels(parent, "*." + parent);
        }

        @Override
        public String text() {
            return "*." + parent;
        }

        @Override
        public boolean covers(String host) {
            int dot = host.indexOf('.');
            return dot > 0 && host.length() == dot + 1 + parent.length() && host.endsWith(parent);
        }

        @Override
        public String toString() {
            return text();
        }
    }

    /**
     * Reads a name as people write it: upper case is folded, U-labels become A-labels (IDNA), one
     * trailing dot is dropped.
     *
     * @throws IllegalArgumentException with a text for the author of the name, where it is not a
     *     DNS name
     */
    static Hostname parse(String written) {
        String text = written.strip();
        if (text.endsWith(".")) {
            text = text.substring(0, text.length() - 1);
        }
        boolean wildcard = text.startsWith("*.");
        String plain = toAscii(wildcard ? text.substring(2) : text, written);
        if (plain.length() + (wildcard ? 2 : 0) > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "host: "
                            + plain.length()
                            + " characters (expected: at most "
                            + MAX_LENGTH
                            + ")");
        }
        if (looksLikeAddress(plain)) {
            throw new IllegalArgumentException(
                    "host: " + written + " (expected: a DNS name, not an IP address)");
        }
        return wildcard ? new Wildcard(plain) : new Exact(plain);
    }

    /** As {@link #parse}, but empty where the text is not a DNS name. */
    static Optional<Hostname> tryParse(String written) {
        try {
            return Optional.of(parse(written));
        } catch (IllegalArgumentException notAName) {
            return Optional.empty();
        }
    }

    /**
     * The form in which names from the wire (SNI, authority without port) are looked up: ASCII
     * lower case without a trailing dot. Returns the same object where nothing changes; does not
     * check the name.
     */
    static String normalise(String fromWire) {
        int length = fromWire.length();
        if (length > 1 && fromWire.charAt(length - 1) == '.') {
            return normalise(fromWire.substring(0, length - 1));
        }
        for (int i = 0; i < length; i++) {
            char c = fromWire.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                return lowerCase(fromWire);
            }
        }
        return fromWire;
    }

    private static String lowerCase(String text) {
        char[] chars = text.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            char c = chars[i];
            if (c >= 'A' && c <= 'Z') {
                chars[i] = (char) (c + ('a' - 'A')); // ASCII only: a Turkish locale must not matter
            }
        }
        return new String(chars);
    }

    private static String toAscii(String name, String written) {
        try {
            return IDN.toASCII(name, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException | IndexOutOfBoundsException notIdna) {
            throw new IllegalArgumentException(
                    "host: " + written + " (expected: a DNS name)", notIdna);
        }
    }

    /**
     * Whether the last label is a number, so that RFC 3986 and browsers read the whole as an IPv4
     * address.
     */
    private static boolean looksLikeAddress(String name) {
        String last = name.substring(name.lastIndexOf('.') + 1);
        return !last.isEmpty() && last.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static void requireLabels(String name, String written) {
        int labelStart = 0;
        for (int i = 0; i <= name.length(); i++) {
            if (i < name.length() && name.charAt(i) != '.') {
                if (!isLabelCharacter(name.charAt(i))) {
                    throw new IllegalArgumentException(
                            "host: "
                                    + written
                                    + " (expected: labels of letters, digits, '-' and '_')");
                }
                continue;
            }
            int length = i - labelStart;
            if (length < 1
                    || length > 63
                    || name.charAt(labelStart) == '-'
                    || name.charAt(i - 1) == '-') {
                throw new IllegalArgumentException(
                        "host: "
                                + written
                                + " (expected: labels of 1 to 63 characters, no '-' at their ends)");
            }
            labelStart = i + 1;
        }
    }

    private static boolean isLabelCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }
}
