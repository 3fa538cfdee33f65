package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code openssl s_client} saw.
 *
 * @param exit its exit code
 * @param text all it wrote
 */
record OpenSsl(int exit, String text) {

    private static final String BEGIN = "-----BEGIN CERTIFICATE-----";
    private static final String END = "-----END CERTIFICATE-----";

    /** A handshake, then the end. */
    static OpenSsl connect(int port, String... options) {
        return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), options);
    }

    /** A handshake with any address, then the end. */
    static OpenSsl connect(InetSocketAddress address, String... options) {
        return exchange(address, "Q\n", options);
    }

    /** A handshake and a request; ends when the gateway closes. */
    static OpenSsl request(int port, String host, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("-ign_eof");
        return exchange(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n",
                all.toArray(String[]::new));
    }

    private static OpenSsl exchange(InetSocketAddress address, String input, String... options) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "openssl",
                                "s_client",
                                "-connect",
                                address.getHostString() + ":" + address.getPort()));
        command.addAll(List.of(options));
        Ran ran = Ran.run(input, Duration.ofSeconds(30), command);
        return new OpenSsl(ran.exit(), ran.out() + ran.err());
    }

    /** The leaf that was presented. */
    X509Certificate leaf() {
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new AssertionError("no certificate: " + text);
        }
        String pem = text.substring(begin, end + END.length());
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(pem.getBytes(US_ASCII)));
        } catch (CertificateException e) {
            throw new AssertionError("not a certificate: " + pem, e);
        }
    }

    BigInteger serial() {
        return leaf().getSerialNumber();
    }

    /** Whether the handshake came to its end. */
    boolean connected() {
        return text.contains("New, TLSv") || text.contains("Reused, TLSv");
    }

    /** Whether it was resumed. */
    boolean reused() {
        return text.contains("Reused, TLSv");
    }
}
