package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.model.route.Challenge;
import java.io.IOException;
import java.io.InputStream;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Asks a gateway for a proof, as a CA would. Bounded in bytes and in time. */
final class ChallengeProbe {
    private static final int MILLIS = 2_000;
    private static final int MOST_BYTES = 8 * 1024;
    private static final SSLContext ANYBODY = anybody();

    private ChallengeProbe() {}

    /** Whether whoever listens there answers as the proof has it. */
    static boolean answers(InetSocketAddress address, Proof.Http proof) {
        var challenge = new Challenge(Challenge.ANY_HOST, proof.token());
        String request =
                "GET "
                        + challenge.path()
                        + " HTTP/1.1\r\nHost: "
                        + host(proof.identifier())
                        + "\r\nUser-Agent: sallyport\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        try (Socket socket = connect(address)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String answer = read(socket.getInputStream());
            return answer.startsWith("HTTP/1.1 200 ")
                    && answer.endsWith("\r\n\r\n" + proof.keyAuthorization());
        } catch (IOException notYet) {
            return false;
        }
    }

    /** The same, of a certificate. */
    static boolean answers(InetSocketAddress address, Proof.TlsAlpn proof) {
        AlpnCertificate certificate = proof.certificate();
        try (Socket socket = connect(address);
                SSLSocket tls =
                        (SSLSocket)
                                ANYBODY.getSocketFactory()
                                        .createSocket(
                                                socket,
                                                certificate.serverName(),
                                                address.getPort(),
                                                true)) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(certificate.serverName())));
            parameters.setApplicationProtocols(new String[] {AlpnCertificate.PROTOCOL});
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            X509Certificate leaf = (X509Certificate) tls.getSession().getPeerCertificates()[0];
            return AlpnCertificate.PROTOCOL.equals(tls.getApplicationProtocol())
                    && Arrays.equals(leaf.getEncoded(), certificate.bundle().chain().getFirst());
        } catch (IOException | GeneralSecurityException notYet) {
            return false;
        }
    }

    private static Socket connect(InetSocketAddress address) throws IOException {
        var socket = new Socket();
        try {
            socket.setSoTimeout(MILLIS);
            socket.setTcpNoDelay(true);
            socket.connect(reachable(address), MILLIS);
            return socket;
        } catch (IOException failed) {
            socket.close();
            throw failed;
        }
    }

    /** A listener on all addresses is reached on this machine. */
    private static InetSocketAddress reachable(InetSocketAddress address) throws IOException {
        InetAddress ip = address.getAddress();
        if (!ip.isAnyLocalAddress()) {
            return address;
        }
        return new InetSocketAddress(
                InetAddress.getByName(ip instanceof Inet6Address ? "::1" : "127.0.0.1"),
                address.getPort());
    }

    private static String host(Identifier identifier) {
        return identifier instanceof Identifier.Ip(Inet6Address _)
                ? "[" + identifier.text() + "]"
                : identifier.text();
    }

    private static String read(InputStream in) throws IOException {
        return new String(in.readNBytes(MOST_BYTES), StandardCharsets.US_ASCII);
    }

    private static SSLContext anybody() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new AnybodyTrusted()}, null);
            return context;
        } catch (GeneralSecurityException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    /** The bytes of the certificate are compared. */
    private static final class AnybodyTrusted implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            throw new UnsupportedOperationException("no clients here");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
