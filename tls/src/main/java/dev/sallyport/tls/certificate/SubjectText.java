package dev.sallyport.tls.certificate;

import java.security.cert.X509Certificate;

/**
 * A certificate's subject for messages: whoever wrote the Secret chose it, so it is cut short and
 * nothing of it can steer a terminal or begin a line of a log.
 */
final class SubjectText {
    private static final int LONGEST = 100;

    private SubjectText() {}

    static String of(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().getName();
        StringBuilder text = new StringBuilder();
        name.codePoints()
                .limit(LONGEST)
                .map(c ->
                        Character.isISOControl(c) || Character.getType(c) == Character.FORMAT
                                ? '?'
                                : c)
                .forEach(text::appendCodePoint);
        return name.isEmpty() ? "(no subject)" : text + (name.length() > LONGEST ? "…" : "");
    }
}
