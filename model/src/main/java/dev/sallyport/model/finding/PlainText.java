package dev.sallyport.model.finding;

import java.util.Locale;

/**
 * Text that may hold what strangers wrote, made fit for a line of a terminal or of a log: no line
 * breaks, no control sequences, nothing that changes the direction of reading, and an end.
 */
public final class PlainText {
    /** More than any message of ours has without somebody's help. */
    static final int MAX_LENGTH = 4_000;

    private static final int FORBIDDEN =
            1 << Character.CONTROL
                    | 1 << Character.FORMAT
                    | 1 << Character.LINE_SEPARATOR
                    | 1 << Character.PARAGRAPH_SEPARATOR
                    | 1 << Character.SURROGATE;

    private PlainText() {}

    /**
     * {@code text} with what is not to be printed written as {@code \}{@code u001b}, and cut after
     * some thousand characters; the same object where nothing changes.
     */
    public static String of(String text) {
        if (text.length() <= MAX_LENGTH && text.codePoints().allMatch(PlainText::printable)) {
            return text;
        }
        var out = new StringBuilder(Math.min(text.length(), MAX_LENGTH) + 16);
        int i = 0;
        while (i < text.length() && out.length() < MAX_LENGTH) {
            int c = text.codePointAt(i);
            if (printable(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(String.format(Locale.ROOT, c > 0xffff ? "\\u{%x}" : "\\u%04x", c));
            }
            i += Character.charCount(c);
        }
        return i < text.length() ? out.append('…').toString() : out.toString();
    }

    /** Whether a character may stand in a line for people. */
    public static boolean printable(int codePoint) {
        return (FORBIDDEN & 1 << Character.getType(codePoint)) == 0;
    }
}
