package dev.sallyport.acme.store;

import java.util.regex.Pattern;

/**
 * What a certificate is called as long as it is wanted, whatever its names become: fit for a file's
 * name and for a label.
 *
 * @param text 1–200 lower-case letters, digits, '-', '_' and '.', the first a letter or digit
 */
public record CertificateId(String text) {
    private static final Pattern TEXT = Pattern.compile("[a-z0-9][a-z0-9._-]{0,199}");

    public CertificateId {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "certificate: "
                            + text
                            + " (expected: 1–200 lower-case letters, digits, '-', '_' and '.')");
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
