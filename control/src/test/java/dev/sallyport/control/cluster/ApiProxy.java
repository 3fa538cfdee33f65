package dev.sallyport.control.cluster;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Stands before an API server, in plain HTTP/1.1, and does to it what networks and overloaded
 * servers do. Everything it is told holds from then on.
 */
final class ApiProxy implements AutoCloseable {
    private final int apiPort;
    private final SSLContext tls;
    private final ServerSocket listener;
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final List<Rule> rules = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    /**
     * A request that came by.
     *
     * @param method for instance {@code GET}
     * @param target path and query
     * @param watch whether it asks for a watch
     * @param at when, in nanoseconds
     */
    record Request(String method, String target, boolean watch, long at) {
        /** Whether it lists (or reads) objects of {@code plural}. */
        boolean lists(String plural) {
            return !watch && method.equals("GET") && target.contains("/" + plural);
        }

        /** Whether it lists (or reads) anything. */
        boolean lists() {
            return !watch && method.equals("GET");
        }
    }

    private record Rule(Predicate<Request> which, String answer) {}

    private ApiProxy(ApiServer api) throws IOException {
        this.apiPort = api.port();
        this.tls = api.tls();
        this.listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().name("proxy").start(this::accept);
    }

    /** In front of {@code api}; passes everything. */
    static ApiProxy before(ApiServer api) {
        try {
            return new ApiProxy(api);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** Where it listens. */
    int port() {
        return listener.getLocalPort();
    }

    /** Answers such requests itself: status line, fields and body. */
    void answer(Predicate<Request> which, String status, String fields, String body) {
        rules.add(
                new Rule(
                        which,
                        "HTTP/1.1 "
                                + status
                                + "\r\nContent-Type: application/json\r\n"
                                + fields
                                + "Content-Length: "
                                + body.getBytes(StandardCharsets.UTF_8).length
                                + "\r\n\r\n"
                                + body));
    }

    /** Answers nothing itself any more. */
    void pass() {
        rules.clear();
    }

    /**
     * What is connected now goes on being connected, but not a byte comes through any more, in
     * neither direction; new connections work.
     */
    void silence() {
        connections.forEach(connection -> connection.silent = true);
    }

    /** Closes what is connected now. */
    void cut() {
        connections.forEach(Connection::close);
    }

    /**
     * Says something on each open watch of {@code plural} as if the API server did, which is silent
     * meanwhile; on all watches where that is empty.
     */
    void say(String plural, String event) {
        byte[] text = event.getBytes(StandardCharsets.UTF_8);
        var frame = new ByteArrayOutputStream();
        frame.write(0x81); // the whole of a text, RFC 6455 section 5.2
        frame.write(126);
        frame.write(text.length >> 8);
        frame.write(text.length);
        frame.writeBytes(text);
        for (Connection connection : connections) {
            if (connection.watching.contains("/" + plural)) {
                connection.say(frame.toByteArray());
            }
        }
    }

    /** What came by so far. */
    List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Forgets what came by so far. */
    void forget() {
        requests.clear();
    }

    @Override
    public void close() {
        closed = true;
        closeQuietly(listener);
        cut();
    }

    private void accept() {
        while (!closed) {
            try {
                var connection = new Connection(listener.accept());
                connections.add(connection);
                Thread.ofVirtual().name("proxy-in").start(connection::serve);
            } catch (IOException _) {
                return;
            }
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable closeable) {
        try {
            if (closeable != null) {
                closeable.close();
            }
        } catch (Exception _) {
            // it is closed all the same
        }
    }

    private final class Connection {
        private final Socket client;
        private volatile @Nullable Socket server;
        private volatile boolean silent;
        private volatile String watching = ""; // the target

        Connection(Socket client) {
            this.client = client;
        }

        void close() {
            connections.remove(this);
            closeQuietly(client);
            closeQuietly(server);
        }

        void say(byte[] bytes) {
            try {
                client.getOutputStream().write(bytes);
            } catch (IOException _) {
                close();
            }
        }

        void serve() {
            try {
                var in = new BufferedInputStream(client.getInputStream());
                byte[] head = head(in);
                while (head.length > 0) {
                    Request request = parse(new String(head, StandardCharsets.ISO_8859_1));
                    requests.add(request);
                    String answer =
                            rules.stream()
                                    .filter(rule -> rule.which().test(request))
                                    .map(Rule::answer)
                                    .findFirst()
                                    .orElse(null);
                    if (answer == null) {
                        OutputStream out = server().getOutputStream();
                        out.write(head);
                        out.flush();
                        watching = request.watch() ? request.target() : "";
                        if (request.watch() || !request.method().equals("GET")) {
                            pump(in, out);
                            return;
                        }
                    } else {
                        client.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                    }
                    head = head(in);
                }
            } catch (IOException _) {
                // one side is gone: so is the other
            } finally {
                close();
            }
        }

        private Socket server() throws IOException {
            Socket connected = server;
            if (connected == null) {
                connected =
                        tls.getSocketFactory()
                                .createSocket(InetAddress.getLoopbackAddress(), apiPort);
                server = connected;
                InputStream answers = connected.getInputStream();
                Thread.ofVirtual()
                        .name("proxy-out")
                        .start(() -> {
                            try {
                                pump(answers, client.getOutputStream());
                            } catch (IOException _) {
                                // as above
                            } finally {
                                if (!silent) {
                                    close();
                                }
                            }
                        });
            }
            return connected;
        }

        /** While silent, bytes are taken and thrown away: TCP acknowledges them. */
        private void pump(InputStream in, OutputStream out) throws IOException {
            byte[] buffer = new byte[16 * 1024];
            int read = in.read(buffer);
            while (read >= 0) {
                if (!silent) {
                    out.write(buffer, 0, read);
                    out.flush();
                }
                read = in.read(buffer);
            }
        }

        private byte[] head(InputStream in) throws IOException {
            var head = new ByteArrayOutputStream();
            int end = 0;
            while (end < 4) {
                int next = in.read();
                if (next < 0) {
                    return new byte[0];
                }
                if (!silent) {
                    head.write(next);
                    end = next == (end % 2 == 0 ? '\r' : '\n') ? end + 1 : next == '\r' ? 1 : 0;
                }
            }
            return head.toByteArray();
        }

        private static Request parse(String head) {
            String[] line = head.substring(0, head.indexOf('\r')).split(" ", -1);
            boolean upgrade = head.toLowerCase(Locale.ROOT).contains("\nupgrade: websocket");
            return new Request(line[0], line[1], upgrade, System.nanoTime());
        }
    }
}
