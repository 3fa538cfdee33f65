package dev.sallyport.bench.load;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;

/**
 * Asks a port which certificate it serves for a name, at next to no cost for the asker: a TLS 1.2
 * hello, made once, whose answer has the certificate in the clear. The connection is closed there,
 * so the looking takes little of what is looked at: a whole handshake of TLS 1.3 took some 3 ms.
 */
final class Knock {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** RFC 5246 section 6.2.1. */
    private static final int HANDSHAKE_RECORD = 22;

    /** RFC 5246 section 7.4. */
    private static final int CERTIFICATE = 11;

    /** So many bytes tell a length. */
    private static final int LENGTH = 3;

    private final InetSocketAddress address;
    private final String host;
    private final byte[] hello;

    Knock(InetSocketAddress address, String host) throws GeneralSecurityException, SSLException {
        this.address = address;
        this.host = host;
        this.hello = hello(host);
    }

    /**
     * The leaf that is served now, in DER; empty where the hello was refused: while a host has no
     * certificate, a peer may refuse its name.
     */
    byte[] leaf() throws IOException {
        try (var socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.connect(address, (int) PATIENCE.toMillis());
            return leaf(socket);
        }
    }

    private byte[] leaf(Socket socket) throws IOException {
        try {
            socket.getOutputStream().write(hello);
            var messages = new DataInputStream(new HandshakeMessages(socket.getInputStream()));
            int type = messages.readUnsignedByte();
            while (type != CERTIFICATE) {
                messages.skipNBytes(length(messages));
                type = messages.readUnsignedByte();
            }
            messages.skipNBytes(2 * LENGTH); // of the message, and of the chain
            byte[] leaf = new byte[length(messages)];
            messages.readFully(leaf);
            return leaf;
        } catch (EOFException | SocketException _) {
            return new byte[0];
        }
    }

    @Override
    public String toString() {
        return host;
    }

    private static byte[] hello(String host) throws GeneralSecurityException, SSLException {
        var tls = SSLContext.getInstance("TLSv1.2");
        tls.init(null, new TrustManager[] {new TrustAnybody()}, null);
        SSLEngine engine = tls.createSSLEngine(host, 443);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.2"});
        parameters.setServerNames(List.of(new SNIHostName(host)));
        engine.setSSLParameters(parameters);
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        byte[] bytes = new byte[record.flip().remaining()];
        record.get(bytes);
        return bytes;
    }

    private static int length(DataInputStream in) throws IOException {
        return in.readUnsignedByte() << 16 | in.readUnsignedShort();
    }

    /** What is in the records, until one is not of the handshake: an alert. */
    private static final class HandshakeMessages extends InputStream {
        private final DataInputStream records;
        private int left;

        HandshakeMessages(InputStream in) {
            this.records = new DataInputStream(new BufferedInputStream(in));
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            while (left == 0) {
                if (records.readUnsignedByte() != HANDSHAKE_RECORD) {
                    return -1;
                }
                records.skipNBytes(2); // the version
                left = records.readUnsignedShort();
            }
            int read = records.read(bytes, offset, Math.min(length, left));
            left -= Math.max(read, 0);
            return read;
        }
    }
}
