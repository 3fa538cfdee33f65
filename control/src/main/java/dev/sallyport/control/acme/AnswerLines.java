package dev.sallyport.control.acme;

import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.route.Challenge;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What is shown to CAs as lines of text, by which one replica tells it to all: {@code http-01 HOST
 * TOKEN ANSWER} and {@code tls-alpn-01 HOST CERTIFICATE KEY}, an empty host as {@code *}. The keys
 * are worth nothing but for the one challenge.
 */
final class AnswerLines {
    /** A Secret takes 1 MiB, in base64. */
    static final int MOST_BYTES = 700 * 1024;

    private static final String HTTP = "http-01";
    private static final String TLS_ALPN = "tls-alpn-01";
    private static final String ANY = "*";
    private static final Pattern ANSWER = Pattern.compile("[A-Za-z0-9_.-]{1,512}");

    private AnswerLines() {}

    /** Those that fit; the first ones, where not all do. */
    static byte[] of(List<AcmeAnswer> answers) {
        var text = new StringBuilder();
        for (AcmeAnswer answer : answers) {
            String line = line(answer);
            if (text.length() + line.length() < MOST_BYTES) {
                text.append(line).append('\n');
            }
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static String line(AcmeAnswer answer) {
        return switch (answer) {
            case AcmeAnswer.Http(Challenge challenge, String keyAuthorization) ->
                    String.join(
                            " ",
                            HTTP,
                            challenge.host().isEmpty() ? ANY : challenge.host(),
                            challenge.token(),
                            keyAuthorization);
            case AcmeAnswer.TlsAlpn(String serverName, CertificateBundle certificate) ->
                    String.join(
                            " ",
                            TLS_ALPN,
                            serverName,
                            base64(certificate.chain().getFirst()),
                            certificate.privateKey().use(AnswerLines::base64));
        };
    }

    /** What lines say; those that say nothing are passed over. */
    static List<AcmeAnswer> read(byte[] text) {
        if (text.length > MOST_BYTES) {
            return List.of();
        }
        List<AcmeAnswer> answers = new ArrayList<>();
        new String(text, StandardCharsets.US_ASCII)
                .lines()
                .forEach(line -> answer(line).ifPresent(answers::add));
        return answers;
    }

    private static Optional<AcmeAnswer> answer(String line) {
        String[] words = line.split(" ", 5);
        if (words.length != 4) {
            return Optional.empty();
        }
        boolean any = words[1].equals(ANY);
        Optional<Hostname> host = Hostname.tryParse(words[1]);
        if (!any && !host.map(it -> it.text().equals(words[1])).orElse(false)) {
            return Optional.empty();
        }
        try {
            return switch (words[0]) {
                case HTTP ->
                        ANSWER.matcher(words[3]).matches()
                                ? Optional.of(
                                        new AcmeAnswer.Http(
                                                new Challenge(
                                                        any ? Challenge.ANY_HOST : words[1],
                                                        words[2]),
                                                words[3]))
                                : Optional.empty();
                case TLS_ALPN ->
                        any
                                ? Optional.empty()
                                : Optional.of(
                                        new AcmeAnswer.TlsAlpn(
                                                words[1],
                                                CertificateBundle.of(
                                                        List.of(bytes(words[2])),
                                                        bytes(words[3]))));
                default -> Optional.empty();
            };
        } catch (IllegalArgumentException | GeneralSecurityException unsound) {
            return Optional.empty();
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] bytes(String base64) {
        return Base64.getDecoder().decode(base64);
    }
}
