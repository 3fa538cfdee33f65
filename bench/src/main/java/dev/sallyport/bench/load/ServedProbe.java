package dev.sallyport.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/**
 * How long a changed file takes to be served, as a client sees it: moves a new manifest over the
 * old one and connects again and again (JDK TLS, no resumption) until the answer is the new one.
 * The time is from just before the move to the end of the connection that showed the change, so it
 * contains one or two connections, whose median is reported beside.
 *
 * <p>{@code ServedProbe FOLDER STAGING HOSTS HTTPS_PORT CHANGES secret|ingress}; prints a JSON
 * object.
 */
public final class ServedProbe {
    private static final int WARM_UP_CONNECTIONS = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Between changes: longer than any hold-off, so that each change finds the gateway quiet. */
    private static final Duration PAUSE = Duration.ofMillis(150);

    private final Folder folder;
    private final int hosts;
    private final int port;
    private final SecureRandom seeds = new SecureRandom();
    private final SplittableRandom random = new SplittableRandom(7);
    private final List<Long> connections = new java.util.ArrayList<>();

    private ServedProbe(Folder folder, int hosts, int port) {
        this.folder = folder;
        this.hosts = hosts;
        this.port = port;
    }

    /** See the class comment. */
    public static void main(String[] args) throws Exception {
        var probe =
                new ServedProbe(
                        new Folder(Path.of(args[0]), Path.of(args[1]), InstantSource.system()),
                        Math.min(Integer.parseInt(args[2]), Folder.SINGLE),
                        Integer.parseInt(args[3]));
        boolean secrets = args[5].equals("secret");
        for (int i = 0; i < WARM_UP_CONNECTIONS; i++) {
            probe.ask(probe.random.nextInt(probe.hosts));
        }
        probe.connections.clear();
        long[] nanos = new long[Integer.parseInt(args[4])];
        for (int i = 0; i < nanos.length; i++) {
            LockSupport.parkNanos(PAUSE.toNanos() + probe.random.nextLong(PAUSE.toNanos()));
            int host = probe.random.nextInt(probe.hosts);
            nanos[i] = secrets ? probe.rotate(host) : probe.edit(host);
        }
        System.out.println(probe.json(nanos));
    }

    private long rotate(int host) throws IOException, GeneralSecurityException {
        DemoAuthority.Issued issued = folder.issue(host);
        BigInteger serial = leaf(issued).getSerialNumber();
        Folder.Staged staged = folder.secret(host, issued);
        return nanosUntil(staged, host, answer -> answer.serial().equals(serial));
    }

    /** Takes the host's only path away and puts it back; reports the slower half of it. */
    private long edit(int host) throws IOException, GeneralSecurityException {
        long gone =
                nanosUntil(
                        folder.ingress(host, "/elsewhere"), host, answer -> answer.status() == 404);
        LockSupport.parkNanos(PAUSE.toNanos() * 2);
        long back = nanosUntil(folder.ingress(host, "/1k"), host, answer -> answer.status() == 200);
        return Math.max(gone, back);
    }

    private interface Expected {
        boolean shownBy(Answer answer);
    }

    private long nanosUntil(Folder.Staged change, int host, Expected expected)
            throws IOException, GeneralSecurityException {
        long begin = System.nanoTime();
        change.move();
        while (true) {
            if (expected.shownBy(ask(host))) {
                return System.nanoTime() - begin;
            }
            if (System.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new IOException(change.to() + ": not served after " + PATIENCE);
            }
        }
    }

    /** What one connection showed. */
    private record Answer(BigInteger serial, int status) {}

    private Answer ask(int host) throws IOException, GeneralSecurityException {
        // A context for each: a session that is resumed shows its own certificate, not the one in
        // service.
        var tls = SSLContext.getInstance("TLSv1.3");
        tls.init(null, new TrustManager[] {new TrustAnybody()}, seeds);
        long begin = System.nanoTime();
        try (var plain = new Socket(InetAddress.getLoopbackAddress(), port);
                var socket =
                        (SSLSocket)
                                tls.getSocketFactory()
                                        .createSocket(plain, Folder.host(host), port, true)) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.setTcpNoDelay(true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(Folder.host(host))));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            Certificate leaf = socket.getSession().getPeerCertificates()[0];
            String request =
                    "GET /1k HTTP/1.1\r\nHost: "
                            + Folder.host(host)
                            + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            String line =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII))
                            .readLine();
            if (line == null) {
                throw new IOException("closed before an answer");
            }
            connections.add(System.nanoTime() - begin);
            return new Answer(
                    ((X509Certificate) leaf).getSerialNumber(),
                    Integer.parseInt(line.substring(9, 12)));
        }
    }

    /** What was issued, without its chain. */
    static X509Certificate leaf(DemoAuthority.Issued issued) throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(issued.tlsCrt().getBytes(US_ASCII)));
    }

    private String json(long[] nanos) {
        Arrays.sort(nanos);
        long[] connecting = connections.stream().mapToLong(Long::longValue).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "{\"changes\": %d, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f,"
                        + " \"connection_p50_ms\": %.2f}",
                nanos.length,
                quantile(nanos, 0.50),
                quantile(nanos, 0.99),
                nanos[nanos.length - 1] / 1e6,
                quantile(connecting, 0.50));
    }

    private static double quantile(long[] sorted, double q) {
        return sorted[Math.min(sorted.length - 1, (int) (q * sorted.length))] / 1e6;
    }
}
