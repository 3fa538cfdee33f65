package dev.sallyport.control.event;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Severity;
import dev.sallyport.model.name.ObjectRef;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What one Event says. Two that say the same of the same object have the same name, so that no
 * replica repeats what another has told.
 *
 * @param object which it is about
 * @param uid the object's, so that a later one of its name is another; empty where it may not be
 *     read
 * @param warning or normal
 * @param reason in one word
 * @param action what was done when it was found
 * @param note for people; at most {@value #MOST_BYTES} bytes
 */
record Statement(
        ObjectRef object, String uid, boolean warning, String reason, String action, String note) {
    /** The reason of Events about what is served. */
    static final String CERTIFICATE_SERVED = "CertificateServed";

    /** What the reason of a finding becomes when it is no longer so. */
    static final String RESOLVED = "Resolved";

    /** The API takes 1,024. */
    private static final int MOST_BYTES = 1_000;

    /** The API takes names of 253 characters. */
    private static final int MOST_NAME = 230;

    private static final int HASH_BYTES = 8;

    Statement {
        note = cut(note);
    }

    /** That something is so. */
    static Statement of(Finding finding, String uid) {
        String advice = finding.advice();
        return new Statement(
                finding.object(),
                uid,
                finding.severity() != Severity.INFO,
                finding.reason().camelCase(),
                "Reconcile",
                advice.isEmpty() ? finding.message() : finding.message() + ". " + advice);
    }

    /** That something was done. */
    static Statement of(News news, String uid) {
        return new Statement(news.object(), uid, false, news.reason(), "Issue", news.note());
    }

    /** That it is no longer so. */
    static Statement resolved(Finding finding, String uid) {
        return new Statement(
                finding.object(),
                uid,
                false,
                finding.reason().camelCase() + RESOLVED,
                "Reconcile",
                "no longer so: " + finding.message());
    }

    /** The Event's name. */
    String name() {
        String name = object.name();
        String begin = name.length() <= MOST_NAME ? name : name.substring(0, MOST_NAME);
        int end = begin.length();
        while (end > 0 && !Character.isLetterOrDigit(begin.charAt(end - 1))) {
            end--; // a name's part ends with a letter or digit
        }
        return begin.substring(0, end) + "." + hash();
    }

    /** Events of objects that no namespace holds are in {@code default}, as the API wants it. */
    String namespace() {
        return object.namespace().isEmpty() ? "default" : object.namespace();
    }

    private String hash() {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            for (String part : new String[] {uid, reason, note}) {
                sha256.update(part.getBytes(StandardCharsets.UTF_8));
                sha256.update((byte) 0);
            }
            return HexFormat.of().formatHex(sha256.digest(), 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    private static String cut(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length <= MOST_BYTES) {
            return text;
        }
        var out = new StringBuilder();
        int bytes = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            bytes += Character.toString(c).getBytes(StandardCharsets.UTF_8).length;
            if (bytes > MOST_BYTES - 3) { // the dots take three
                break;
            }
            out.appendCodePoint(c);
            i += Character.charCount(c);
        }
        return out.append('…').toString();
    }
}
