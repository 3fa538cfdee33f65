package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** A client that sends any bytes and reads answers strictly. */
final class RawClient {

    private static final int LIMIT_MILLIS = 20_000;

    private final InetSocketAddress address;
    private final String serverName;
    private final boolean tls;

    private RawClient(InetSocketAddress address, boolean tls, String serverName) {
        this.address = address;
        this.tls = tls;
        this.serverName = serverName;
    }

    /** Without TLS, to a port of this machine. */
    static RawClient plain(int port) {
        return plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    /** Without TLS. */
    static RawClient plain(InetSocketAddress address) {
        return new RawClient(address, false, "");
    }

    /** With TLS, without ALPN, believing any certificate, to a port of this machine. */
    static RawClient tls(int port, String serverName) {
        return tls(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), serverName);
    }

    /** With TLS, without ALPN, believing any certificate. */
    static RawClient tls(InetSocketAddress address, String serverName) {
        return new RawClient(address, true, serverName);
    }

    /** A head: these lines, each with CRLF, and the empty line. */
    static String head(String... lines) {
        return String.join("\r\n", lines) + "\r\n\r\n";
    }

    /** One GET on a connection of its own. */
    Response get(String host, String target) {
        return exchange(
                String.format(
                        Locale.ROOT,
                        "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                        target,
                        host));
    }

    /** Sends bytes (ISO 8859-1) on a new connection and reads the first final response. */
    Response exchange(String bytes) {
        try (Connection connection = open()) {
            connection.send(bytes);
            return connection.response();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A new connection. */
    Connection open() throws IOException {
        Socket socket;
        if (tls) {
            socket = Handshakes.connect(Handshakes.anybody(), address, serverName);
        } else {
            socket = new Socket(address.getAddress(), address.getPort());
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(LIMIT_MILLIS);
        }
        return new Connection(socket);
    }

    /** An open connection. */
    static final class Connection implements AutoCloseable {
        private final Socket socket;
        private final InputStream in;

        Connection(Socket socket) throws IOException {
            this.socket = socket;
            this.in = new BufferedInputStream(socket.getInputStream());
        }

        /** Sends bytes, ISO 8859-1. */
        void send(String bytes) throws IOException {
            send(bytes.getBytes(ISO_8859_1));
        }

        void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }

        /** Sends bytes; a peer that has closed already is no failure. */
        void trySend(String bytes) {
            try {
                send(bytes);
            } catch (IOException e) {
                // What the peer had to say is read next.
            }
        }

        /** The next response that is not 1xx. */
        Response response() throws IOException {
            Response response = head();
            while (response.status() < 200 && response.status() != 101) {
                response = head();
            }
            return response.withBody(body(response));
        }

        /** The next head of a response, 1xx included. */
        Response head() throws IOException {
            List<String> lines = Wire.head(in);
            if (lines.isEmpty()) {
                throw new EOFException("closed without an answer");
            }
            String status = lines.getFirst();
            if (!status.matches("HTTP/1\\.1 [1-5][0-9][0-9] .*")) {
                throw new Wire.ProtocolViolation("status line: " + status);
            }
            List<Request.Field> fields = new ArrayList<>();
            for (String line : lines.subList(1, lines.size())) {
                fields.add(Wire.field(line));
            }
            return new Response(Integer.parseInt(status.substring(9, 12)), fields, "");
        }

        private String body(Response head) throws IOException {
            if (head.status() == 204 || head.status() == 304 || head.status() == 101) {
                return "";
            }
            if (head.first("transfer-encoding").isPresent()) {
                return text(new Wire.Chunked(in, head.fields()));
            }
            Optional<String> length = head.first("content-length");
            return text(length.isPresent() ? new Wire.Sized(in, Long.parseLong(length.get())) : in);
        }

        private static String text(InputStream body) throws IOException {
            return new String(body.readAllBytes(), ISO_8859_1);
        }

        /**
         * Reads to the end of the connection, which must come within the limit.
         *
         * @return what came before it, ISO 8859-1
         */
        String rest() throws IOException {
            var rest = new StringBuilder();
            try {
                for (int octet = in.read(); octet >= 0; octet = in.read()) {
                    rest.append((char) octet);
                }
            } catch (SocketTimeoutException e) {
                throw new AssertionError("still open; so far: " + rest, e);
            } catch (SocketException | SSLException e) {
                // A reset is an end as well.
            }
            return rest.toString();
        }

        /** Bytes as they come. */
        InputStream in() {
            return in;
        }

        Socket socket() {
            return socket;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /**
     * A response.
     *
     * @param status the status code
     * @param fields header fields and, after them, trailer fields
     * @param body the body, its framing taken away, ISO 8859-1
     */
    record Response(int status, List<Request.Field> fields, String body) {

        Response withBody(String text) {
            return new Response(status, fields, text);
        }

        /** The first value of a field. */
        Optional<String> first(String name) {
            return fields.stream()
                    .filter(field -> field.name().equalsIgnoreCase(name))
                    .map(Request.Field::value)
                    .findFirst();
        }
    }
}
