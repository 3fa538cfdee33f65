package dev.sallyport.model.name;

import java.net.IDN;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * A DNS name in lower-case ASCII (A-labels), either exact or with a wildcard as its whole first
 * label.
 */
public sealed interface Hostname {

    /** The longest name DNS can carry in text form, RFC 1035 section 2.3.4. */
    int MAX_LENGTH = 253;

    /**
     * What UTS 46 section 7 calls deviations, with capital sharp s: IDNA 2003 maps them to other
     * letters or to none, browsers keep them. {@code straße.example} would be served as {@code
     * strasse.example} and never asked for.
     */
    String DEVIATIONS = "\u00df\u1e9e\u03c2\u200c\u200d";

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
        String text = withoutDot(written.strip());
        requireLength(text.length()); // before anything that takes longer for longer texts
        boolean wildcard = text.startsWith("*.");
        String plain = toAscii(wildcard ? text.substring(2) : text, written);
        requireLength(plain.length() + (wildcard ? 2 : 0));
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
     * lower case without its trailing dot, if it has one. Returns the same object where nothing
     * changes, or where the text is too long to be a name; does not check the name otherwise.
     */
    static String normalise(String fromWire) {
        if (fromWire.length() > MAX_LENGTH + 1) {
            return fromWire; // covered by no name: nothing is copied for whoever sent it
        }
        String text = withoutDot(fromWire);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                return lowerCase(text);
            }
        }
        return text;
    }

    private static String withoutDot(String text) {
        return text.length() > 1 && text.endsWith(".")
                ? text.substring(0, text.length() - 1)
                : text;
    }

    private static void requireLength(int length) {
        if (length > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "host: " + length + " characters (expected: at most " + MAX_LENGTH + ")");
        }
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
        name.codePoints()
                .filter(c -> DEVIATIONS.indexOf(c) >= 0)
                .findFirst()
                .ifPresent(c -> {
                    throw new IllegalArgumentException(
                            String.format(
                                    Locale.ROOT,
                                    "host: %s (expected: its xn-- form, since U+%04X means one name to"
                                            + " browsers and another to older programs)",
                                    written,
                                    c));
                });
        try {
            return IDN.toASCII(name, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException | IndexOutOfBoundsException notIdna) {
            throw new IllegalArgumentException(
                    "host: " + written + " (expected: a DNS name)", notIdna);
        }
    }

    /**
     * Whether the last label is a number, be it hexadecimal, so that resolvers and browsers read
     * the whole as an IPv4 address (WHATWG URL, "ends in a number checker").
     */
    private static boolean looksLikeAddress(String name) {
        String last = name.substring(name.lastIndexOf('.') + 1);
        return last.startsWith("0x")
                ? last.chars().skip(2).allMatch(HexFormat::isHexDigit)
                : !last.isEmpty() && last.chars().allMatch(c -> c >= '0' && c <= '9');
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
