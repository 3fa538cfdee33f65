package dev.sallyport.acme.plan;

import java.util.Arrays;
import java.util.Set;

/**
 * The part of a name that somebody registered, which CAs count by. Judged by its shape rather than
 * by the public suffix list, which is large and old as soon as it is built in. Where that is wrong,
 * names of different owners are mostly counted together, so that we wait where we need not; where
 * one owner's are counted apart, the CA says stop itself.
 */
final class RegisteredDomain {
    /** Second-level labels below which countries register. */
    private static final Set<String> CATEGORIES =
            Set.of(
                    "ac", "asn", "co", "com", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
                    "id", "in", "ind", "info", "lg", "ltd", "me", "mil", "ne", "net", "nic", "nom",
                    "or", "org", "plc", "sch", "web");

    private RegisteredDomain() {}

    /** {@code shop.example} of {@code a.b.shop.example}; an address stands for itself. */
    static String of(Identifier identifier) {
        String text = identifier.text();
        if (!(identifier instanceof Identifier.Dns)) {
            return text;
        }
        String[] labels = (text.startsWith("*.") ? text.substring(2) : text).split("\\.", -1);
        int count = labels.length;
        if (count <= 2) {
            return String.join(".", labels);
        }
        boolean category =
                labels[count - 1].length() == 2 && CATEGORIES.contains(labels[count - 2]);
        int from = count - (category ? 3 : 2);
        return String.join(".", Arrays.copyOfRange(labels, from, count));
    }
}
