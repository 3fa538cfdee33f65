package dev.sallyport.conformance;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509TrustManager;

/** Full TLS handshakes by the JDK's own implementation, without any trust in the answer. */
final class Handshakes {

    private static final int LIMIT_MILLIS = 20_000;
    private static final SSLContext ANYBODY = Pki.context(new AnybodyTrusted());

    /**
     * Nothing is ever resumed with this one: a resumed session shows the certificate it began with.
     */
    private static final SSLContext LOOKING = Pki.context(new AnybodyTrusted());

    private Handshakes() {}

    /** The serial of the leaf that a name is served on a port of this machine. */
    static BigInteger serial(int port, String serverName) throws IOException {
        return serial(loopback(port), serverName);
    }

    /** The serial of the leaf that a name is served. */
    static BigInteger serial(InetSocketAddress address, String serverName) throws IOException {
        return leaf(address, serverName).getSerialNumber();
    }

    /** The leaf that a name is served on a port of this machine. */
    static X509Certificate leaf(int port, String serverName) throws IOException {
        return leaf(loopback(port), serverName);
    }

    /** The leaf that a name is served. */
    static X509Certificate leaf(InetSocketAddress address, String serverName) throws IOException {
        try (SSLSocket socket = connect(LOOKING, address, serverName)) {
            socket.getSession().invalidate();
            Certificate leaf = socket.getSession().getPeerCertificates()[0];
            return (X509Certificate) leaf;
        }
    }

    /** A connection to a port of this machine, see the other. */
    static SSLSocket connect(SSLContext context, int port, String serverName) throws IOException {
        return connect(context, loopback(port), serverName);
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /**
     * A connection after its handshake; no SNI if the name is empty. The certificate must be the
     * name's, unless the context is {@link #anybody()}'s. Reads time out.
     */
    static SSLSocket connect(SSLContext context, InetSocketAddress address, String serverName)
            throws IOException {
        Socket tcp = new Socket(address.getAddress(), address.getPort());
        try {
            tcp.setSoTimeout(LIMIT_MILLIS);
            tcp.setTcpNoDelay(true);
            SSLSocket socket =
                    (SSLSocket)
                            context.getSocketFactory()
                                    .createSocket(tcp, serverName, address.getPort(), true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(
                    serverName.isEmpty() ? List.of() : List.of(new SNIHostName(serverName)));
            if (!context.equals(ANYBODY) && !context.equals(LOOKING)) {
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
            }
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return socket;
        } catch (IOException | RuntimeException e) {
            tcp.close();
            throw e;
        }
    }

    /** A context for clients that look at the certificate themselves. */
    static SSLContext anybody() {
        return ANYBODY;
    }

    private static final class AnybodyTrusted implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            throw new UnsupportedOperationException("no clients here");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            // The tests look at what is served, whoever signed it.
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
