package dev.sallyport.tls.front;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** A client of other provenance than BoringSSL: the JDK's. It trusts everybody. */
final class JdkClient {
    private final int port;
    private final SSLContext context;
    private String[] versions = {"TLSv1.3", "TLSv1.2"};
    private String[] protocols = {};

    JdkClient(int port) {
        this(port, null);
    }

    /**
     * @param identity what the client presents where it is asked; null for nothing
     */
    JdkClient(int port, dev.sallyport.tls.certificate.TestCertificates.@Nullable Made identity) {
        this.port = port;
        try {
            context = SSLContext.getInstance("TLS");
            javax.net.ssl.KeyManager @Nullable [] keys = null;
            if (identity != null) {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                store.setKeyEntry(
                        "client",
                        identity.keys().getPrivate(),
                        new char[0],
                        new X509Certificate[] {identity.certificate()});
                KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
                factory.init(store, new char[0]);
                keys = factory.getKeyManagers();
            }
            context.init(keys, new TrustManager[] {new TrustEverybody()}, null);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    JdkClient versions(String... names) {
        versions = names;
        return this;
    }

    JdkClient protocols(String... names) {
        protocols = names;
        return this;
    }

    /**
     * What came of a connection.
     *
     * @param subject the common name of the certificate that the client saw
     * @param line what the server says of it
     */
    record Answer(String subject, String line) {}

    /**
     * @param name as SNI; null for none
     */
    Answer dial(@Nullable String name) throws IOException {
        SNIServerName server = name == null ? null : new SNIHostName(name);
        return dialWith(server);
    }

    Answer dialWith(@Nullable SNIServerName name) throws IOException {
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        plain.setSoTimeout(10_000);
        plain.setTcpNoDelay(true); // else each handshake waits for a delayed acknowledgement
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(plain, "peer.invalid", port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(versions);
            parameters.setServerNames(name == null ? List.of() : List.of(name));
            parameters.setApplicationProtocols(protocols);
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            String line =
                    new BufferedReader(
                                    new InputStreamReader(
                                            socket.getInputStream(), StandardCharsets.US_ASCII))
                            .readLine();
            if (line == null) {
                throw new SSLException("closed after the handshake");
            }
            X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return new Answer(leaf.getSubjectX500Principal().getName().substring(3), line);
        }
    }

    /**
     * Looks at the certificate as a CA does that validates a challenge: the handshake succeeds, the
     * protocol is the one offered, and not a byte comes after it.
     */
    String subjectThenNothing(String name) throws IOException {
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        plain.setSoTimeout(10_000);
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(plain, "peer.invalid", port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(versions);
            parameters.setServerNames(List.of(new SNIHostName(name)));
            parameters.setApplicationProtocols(protocols);
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            if (!socket.getApplicationProtocol().equals(protocols[0])) {
                throw new AssertionError("protocol " + socket.getApplicationProtocol());
            }
            if (socket.getInputStream().read() != -1) {
                throw new AssertionError("bytes after the handshake");
            }
            X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return leaf.getSubjectX500Principal().getName().substring(3);
        }
    }

    /** How the connection fails; an answer is an error. */
    String failure(@Nullable String name) {
        try {
            throw new AssertionError("no failure, but " + dial(name));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static final class TrustEverybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
