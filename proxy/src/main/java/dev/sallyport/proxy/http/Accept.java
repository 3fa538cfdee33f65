package dev.sallyport.proxy.http;

import java.util.List;
import java.util.Locale;

/**
 * Whether a client wants to be answered in JSON rather than in plain text, RFC 9110 section 12.5.1.
 * JSON is sent to who names it, and likes plain text no better; not to who takes anything, as
 * browsers and curl do.
 */
final class Accept {
    private static final int NOT_NAMED = -1;
    private static final int MOST = 1000;

    private Accept() {}

    /** What {@code fields}, the values of all Accept fields, ask for. */
    static boolean wantsJson(List<String> fields) {
        int json = NOT_NAMED;
        int plain = NOT_NAMED;
        int text = NOT_NAMED;
        for (String field : fields) {
            for (String range : field.split(",", -1)) {
                String[] parts = range.split(";", -1);
                int weight = weight(parts);
                switch (parts[0].strip().toLowerCase(Locale.ROOT)) {
                    case "application/json" -> json = Math.max(json, weight);
                    case "text/plain" -> plain = Math.max(plain, weight);
                    case "text/*" -> text = Math.max(text, weight);
                    default -> {}
                }
            }
        }
        // The more specific range decides.
        return json > 0 && json >= (plain == NOT_NAMED ? text : plain);
    }

    /** In thousandths; a weight that is none is 0. */
    private static int weight(String[] parts) {
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip();
            if (parameter.regionMatches(true, 0, "q=", 0, 2)) {
                return thousandths(parameter.substring(2));
            }
        }
        return MOST;
    }

    /** {@code qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )}. */
    private static int thousandths(String text) {
        if (text.isEmpty() || text.length() > 5 || (text.length() > 1 && text.charAt(1) != '.')) {
            return 0;
        }
        int value = 0;
        for (int i = 0; i < 5; i++) {
            if (i == 1) {
                continue;
            }
            int digit = i < text.length() ? text.charAt(i) - '0' : 0;
            if (digit < 0 || digit > 9) {
                return 0;
            }
            value = value * 10 + digit;
        }
        return value <= MOST ? value : 0;
    }
}
