package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/**
 * Pebble, an ACME server. Every name leads it, and cert-manager, to the gateway of a test, on ports
 * 80 and 443.
 *
 * @param directory the URL of its directory
 * @param authority who signed the certificate that it is asked with, a file in PEM
 * @param roots the URL where it says who signs what it issues, which is new with each start
 */
record Acme(String directory, Path authority, String roots) {

    static final String DIRECTORY = "sallyport.acme";
    private static final String AUTHORITY = "sallyport.acme.ca";
    private static final String ROOTS = "sallyport.acme.roots";

    /** The test bed's, or for a cluster that was given the one that properties tell of. */
    static Optional<Acme> of(Cluster cluster) {
        if (!Cluster.isGiven()) {
            TestBed bed = cluster.bed();
            return Optional.of(
                    new Acme(
                            "https://" + bed.node() + ":14000/dir",
                            bed.state().resolve("pebble/ca.crt"),
                            "https://" + bed.node() + ":15000/roots/0"));
        }
        if (System.getProperty(DIRECTORY, "").isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new Acme(property(DIRECTORY), Path.of(property(AUTHORITY)), property(ROOTS)));
    }

    private static String property(String name) {
        String value = System.getProperty(name, "");
        if (value.isEmpty()) {
            throw new AssertionError(
                    name
                            + ": not given (expected: all of "
                            + String.join(", ", DIRECTORY, AUTHORITY, ROOTS)
                            + ")");
        }
        return value;
    }

    /** The certificate of {@link #authority}. */
    byte[] authorityPem() {
        try {
            return Files.readAllBytes(authority);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The root that it made for itself when it started. */
    X509Certificate root() {
        Ran ran = Curl.ask(authority, List.of(roots));
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all());
        }
        return TlsSecret.certificate(ran.out().getBytes(US_ASCII));
    }
}
