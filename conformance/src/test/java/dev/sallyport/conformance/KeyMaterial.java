package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Every private key that the tests made, as the traces it would leave: base64 of its DER and of its
 * PEM (as Secrets carry it), and its secret numbers in hexadecimal and decimal. A stretch of twice
 * {@value #WINDOW} characters of any of them is found wherever it begins. Safe for use by several
 * threads.
 */
final class KeyMaterial {

    private static final int WINDOW = 32;
    private static final Pattern RUN = Pattern.compile("[A-Za-z0-9+/]{" + WINDOW + ",}");
    private static final String PEM = "PRIVATE KEY-----";

    private final Set<String> traces = ConcurrentHashMap.newKeySet();

    /** Remembers a key, in the PEM form it is handed out in. */
    void add(PrivateKey key, String pem) {
        addWindows(Base64.getEncoder().encodeToString(key.getEncoded()));
        addWindows(Base64.getEncoder().encodeToString(pem.getBytes(ISO_8859_1)));
        for (BigInteger secret : secretsOf(key)) {
            addWindows(HexFormat.of().formatHex(secret.toByteArray()));
            addWindows(secret.toString(16));
            addWindows(secret.toString());
        }
    }

    private static List<BigInteger> secretsOf(PrivateKey key) {
        return switch (key) {
            case RSAPrivateCrtKey rsa ->
                    List.of(rsa.getPrivateExponent(), rsa.getPrimeP(), rsa.getPrimeQ());
            case ECPrivateKey ec -> List.of(ec.getS());
            default -> List.of();
        };
    }

    private void addWindows(String text) {
        for (int at = 0; at + WINDOW <= text.length(); at += WINDOW) {
            traces.add(text.substring(at, at + WINDOW));
        }
        String end = text.replace("=", "");
        if (end.length() >= WINDOW) {
            traces.add(end.substring(end.length() - WINDOW));
        }
    }

    /** Where key material stands in a text; empty if nowhere. The material is not repeated. */
    List<String> find(String where, String text) {
        List<String> found = new ArrayList<>();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            if (holdsKey(line)) {
                found.add(where + ":" + number);
            }
        }
        return found;
    }

    /** Where key material stands in a file, by line. */
    List<String> find(Path file) {
        List<String> found = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(file, ISO_8859_1)) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (holdsKey(line)) {
                    found.add(file + ":" + number);
                }
            }
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean holdsKey(String line) {
        if (line.contains(PEM)) {
            return true;
        }
        Matcher runs = RUN.matcher(line);
        while (runs.find()) {
            String run = runs.group();
            String lower = run.toLowerCase(Locale.ROOT);
            for (int at = 0; at + WINDOW <= run.length(); at++) {
                if (traces.contains(run.substring(at, at + WINDOW))
                        || traces.contains(lower.substring(at, at + WINDOW))) {
                    return true;
                }
            }
        }
        return false;
    }
}
