package dev.sallyport.faults;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Stands before an API server, in plain HTTP/1.1, and does to it what networks and overloaded
 * servers do. Everything it is told holds from then on.
 */
public final class ApiProxy implements AutoCloseable {
    /** That a version is too old to be watched from: whoever hears it has to list anew. */
    public static final String EXPIRED =
            """
            {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure",\
            "reason":"Expired","message":"too old resource version","code":410}}\
            """;

    private static final Pattern LENGTH =
            Pattern.compile("(?im)^content-length: *([0-9]{1,9})\\s*$");
    private static final Pattern CHUNKED = Pattern.compile("(?im)^transfer-encoding:");
    private static final Pattern WATCH = Pattern.compile("(?im)^upgrade: *websocket");
    private static final byte[] CLOSE = {(byte) 0x88, 2, 0x03, (byte) 0xe8}; // 1000: all is well

    private final InetSocketAddress api;
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
    public record Request(String method, String target, boolean watch, long at) {
        /** Whether it lists (or reads) objects of {@code plural}. */
        public boolean lists(String plural) {
            return !watch && method.equals("GET") && target.contains("/" + plural);
        }

        /** Whether it lists (or reads) anything. */
        public boolean lists() {
            return !watch && method.equals("GET");
        }
    }

    private record Rule(Predicate<Request> which, String answer) {}

    private ApiProxy(InetSocketAddress api, SSLContext tls, InetAddress own) throws IOException {
        this.api = api;
        this.tls = tls;
        this.listener = new ServerSocket(0, 200, own);
        Thread.ofVirtual().name("proxy").start(this::accept);
    }

    /**
     * Passes everything.
     *
     * @param api where the API server speaks TLS
     * @param own the address of this machine to listen at
     */
    public static ApiProxy before(InetSocketAddress api, SSLContext tls, InetAddress own) {
        try {
            return new ApiProxy(api, tls, own);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** Where it listens. */
    public int port() {
        return listener.getLocalPort();
    }

    /** For a kubeconfig. */
    public String url() {
        return "http://" + listener.getInetAddress().getHostAddress() + ":" + port();
    }

    /** Answers such requests itself: status line, fields and body. */
    public void answer(Predicate<Request> which, String status, String fields, String body) {
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
    public void pass() {
        rules.clear();
    }

    /**
     * What is connected now goes on being connected, but not a byte comes through any more, in
     * neither direction; new connections work.
     */
    public void silence() {
        connections.forEach(connection -> connection.silent = true);
    }

    /** Likewise, but only of open watches. */
    public void silenceWatches() {
        watches().forEach(connection -> connection.silent = true);
    }

    /** Closes what is connected now. */
    public void cut() {
        connections.forEach(Connection::close);
    }

    /**
     * Says something on each open watch of {@code plural} as if the API server did, which is silent
     * meanwhile; on all watches where that is empty.
     */
    public void say(String plural, String event) {
        byte[] frame = frame(event);
        watches()
                .filter(connection -> connection.watching.contains("/" + plural))
                .forEach(connection -> connection.say(frame));
    }

    /**
     * Ends all open watches in good order, each with this event, as if the API server did.
     *
     * @return how many
     */
    public int endWatches(String event) {
        silenceWatches();
        byte[] frame = frame(event);
        List<Connection> ended = watches().toList();
        ended.forEach(connection -> {
            connection.say(frame);
            connection.say(CLOSE);
            connection.end();
        });
        return ended.size();
    }

    private Stream<Connection> watches() {
        return connections.stream().filter(connection -> !connection.watching.isEmpty());
    }

    private static byte[] frame(String event) {
        byte[] text = event.getBytes(StandardCharsets.UTF_8);
        var frame = new ByteArrayOutputStream();
        frame.write(0x81); // the whole of a text, RFC 6455 section 5.2
        frame.write(126);
        frame.write(text.length >> 8);
        frame.write(text.length);
        frame.writeBytes(text);
        return frame.toByteArray();
    }

    /** What came by so far. */
    public List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Forgets what came by so far. */
    public void forget() {
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

        /** Nothing more is said to whoever is connected, who then closes. */
        void end() {
            try {
                client.shutdownOutput();
            } catch (IOException _) {
                close();
            }
        }

        void serve() {
            try {
                var in = new BufferedInputStream(client.getInputStream());
                byte[] head = head(in);
                while (head.length > 0) {
                    String text = new String(head, StandardCharsets.ISO_8859_1);
                    Request request = parse(text);
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
                        if (request.watch() || CHUNKED.matcher(text).find()) {
                            watching = request.watch() ? request.target() : "";
                            pump(in, out);
                            return;
                        }
                        out.write(in.readNBytes(length(text)));
                        out.flush();
                    } else {
                        in.skipNBytes(length(text));
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
                connected = tls.getSocketFactory().createSocket(api.getAddress(), api.getPort());
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

        /** Of the body. */
        private static int length(String head) {
            Matcher length = LENGTH.matcher(head);
            return length.find() ? Integer.parseInt(length.group(1)) : 0;
        }

        private static Request parse(String head) {
            String[] line = head.substring(0, head.indexOf('\r')).split(" ", -1);
            boolean upgrade = WATCH.matcher(head).find();
            return new Request(line[0], line[1], upgrade, System.nanoTime());
        }
    }
}
