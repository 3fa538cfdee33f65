package dev.sallyport.proxy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A backend that answers byte for byte what a test says: a socket, no HTTP library. Each connection
 * runs its script on a virtual thread of its own.
 */
public final class RawBackend implements AutoCloseable {
    private final ServerSocket server;
    private final Script script;
    private final AtomicInteger accepted = new AtomicInteger();
    private @Nullable Thread acceptor;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    /** What happens on one connection; it is closed when this returns. */
    @FunctionalInterface
    public interface Script {
        void serve(Connection connection) throws IOException;
    }

    private RawBackend(ServerSocket server, Script script) {
        this.server = server;
        this.script = script;
    }

    public static RawBackend start(Script script) {
        return start(script, 50);
    }

    public static RawBackend start(Script script, int backlog) {
        try {
            var server = new ServerSocket();
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), backlog);
            var backend = new RawBackend(server, script);
            backend.acceptor = Thread.ofVirtual().name("raw-backend").start(backend::accept);
            return backend;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Answers every request of every connection with the same bytes. */
    public static RawBackend answering(String response) {
        return start(connection -> {
            while (connection.readHead() != null) {
                connection.send(response);
            }
        });
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Connections so far. */
    public int accepted() {
        return accepted.get();
    }

    /** Connections that are open. */
    public int open() {
        return (int) sockets.stream().filter(socket -> !socket.isClosed()).count();
    }

    @Override
    public void close() throws IOException {
        server.close();
        awaitAcceptor(); // until it is gone, the kernel may still accept one more
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void awaitAcceptor() {
        Thread thread = acceptor;
        try {
            if (thread != null) {
                thread.join();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                sockets.add(socket);
                int number = accepted.incrementAndGet();
                Thread.ofVirtual().name("raw-backend-" + number).start(() -> serve(socket, number));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket, int number) {
        try (socket) {
            script.serve(new Connection(socket, number));
        } catch (IOException gone) {
            // The gateway closed the connection: what the test looks at is on its side.
        }
    }

    /** One connection, from the backend's side. */
    public static final class Connection {
        private final Socket socket;
        private final InputStream in;
        private final int number;

        Connection(Socket socket, int number) throws IOException {
            this.socket = socket;
            this.in = new java.io.BufferedInputStream(socket.getInputStream());
            this.number = number;
        }

        /** From 1, in the order of acceptance. */
        public int number() {
            return number;
        }

        /** The next request head with its empty line, or null at the end of the connection. */
        public @Nullable String readHead() throws IOException {
            var head = new ByteArrayOutputStream();
            int matched = 0;
            while (matched < 4) {
                int b = in.read();
                if (b < 0) {
                    return head.size() == 0 ? null : fail();
                }
                head.write(b);
                matched = b == "\r\n\r\n".charAt(matched) ? matched + 1 : b == '\r' ? 1 : 0;
            }
            return head.toString(StandardCharsets.ISO_8859_1);
        }

        public byte[] read(int bytes) throws IOException {
            byte[] read = in.readNBytes(bytes);
            if (read.length < bytes) {
                throw new EOFException();
            }
            return read;
        }

        /** A chunked body up to its end, decoded; trailers are read and dropped. */
        public String readChunked() throws IOException {
            var body = new StringBuilder();
            while (true) {
                int size = Integer.parseInt(readLine(), 16);
                if (size == 0) {
                    break;
                }
                body.append(new String(read(size), StandardCharsets.ISO_8859_1));
                readLine();
            }
            String trailer = readLine();
            while (!trailer.isEmpty()) {
                body.append('|').append(trailer);
                trailer = readLine();
            }
            return body.toString();
        }

        /** One byte, or -1 at the end of the connection. */
        public int read() throws IOException {
            return in.read();
        }

        /** Latin-1. */
        public void send(String bytes) throws IOException {
            send(bytes.getBytes(StandardCharsets.ISO_8859_1));
        }

        public void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }

        /** Closes with RST instead of FIN. */
        public void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        private String readLine() throws IOException {
            var line = new StringBuilder();
            while (true) {
                int b = in.read();
                if (b < 0) {
                    throw new EOFException();
                }
                if (b == '\n') {
                    return line.substring(0, line.length() - 1);
                }
                line.append((char) b);
            }
        }

        private static String fail() throws IOException {
            throw new EOFException("in the middle of a request head");
        }
    }
}
