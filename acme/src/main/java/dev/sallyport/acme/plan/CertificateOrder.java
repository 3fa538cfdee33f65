package dev.sallyport.acme.plan;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is wanted of one certificate, whichever issuer it will come from.
 *
 * @param identifiers what it is to name, in {@link Identifier#ORDER}; 1–100 of them
 * @param key the key that it is to be for
 */
public record CertificateOrder(SortedSet<Identifier> identifiers, KeyAlgorithm key) {
    /** As many as Let's Encrypt takes. */
    public static final int MOST_IDENTIFIERS = 100;

    public CertificateOrder {
        var sorted = new TreeSet<>(Identifier.ORDER);
        sorted.addAll(identifiers);
        if (sorted.isEmpty() || sorted.size() > MOST_IDENTIFIERS) {
            throw new IllegalArgumentException(
                    "identifiers: " + sorted.size() + " (expected: 1–" + MOST_IDENTIFIERS + ")");
        }
        identifiers = Collections.unmodifiableSortedSet(sorted);
    }

    /** An order for these, in whatever order they come. */
    public static CertificateOrder of(
            Collection<? extends Identifier> identifiers, KeyAlgorithm key) {
        var sorted = new TreeSet<>(Identifier.ORDER);
        sorted.addAll(identifiers);
        return new CertificateOrder(sorted, key);
    }

    /** The identifiers as one word: the same for orders that a CA counts as duplicates. */
    public String identifierText() {
        return identifiers.stream().map(Identifier::text).collect(Collectors.joining(","));
    }

    @Override
    public String toString() {
        return identifierText() + " (" + key.text() + ")";
    }
}
