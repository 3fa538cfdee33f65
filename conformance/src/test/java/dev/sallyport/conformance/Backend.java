package dev.sallyport.conformance;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An HTTP/1.1 server of the tests' own on a loopback port, a virtual thread for each connection. It
 * reads strictly: what RFC 9112 forbids is remembered as a violation and ends the connection.
 */
final class Backend implements AutoCloseable {

    /** Answers requests, on the connection's own thread. */
    @FunctionalInterface
    interface Handler {
        void handle(Request request, Reply reply) throws IOException;
    }

    private final ServerSocket server;
    private final Handler handler;
    private final AtomicInteger accepted = new AtomicInteger();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Queue<String> violations = new ConcurrentLinkedQueue<>();

    private Backend(ServerSocket server, Handler handler) {
        this.server = server;
        this.handler = handler;
    }

    /** Starts a backend on a free port. */
    static Backend start(Handler handler) {
        try {
            var backend =
                    new Backend(
                            new ServerSocket(0, 1024, InetAddress.getLoopbackAddress()), handler);
            Thread.ofVirtual().name("backend").start(backend::accept);
            return backend;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Answers with what it was asked, as JSON. */
    static Backend echo(String name) {
        return start(Echo.named(name));
    }

    int port() {
        return server.getLocalPort();
    }

    /** Connections accepted since the start. */
    int accepted() {
        return accepted.get();
    }

    /** Connections that are open now. */
    int open() {
        return open.size();
    }

    /** What arrived that RFC 9112 forbids; messages cut short are not among it. */
    List<String> violations() {
        return List.copyOf(violations);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                int number = accepted.incrementAndGet();
                open.add(socket);
                Thread.ofVirtual().name("backend-" + number).start(() -> serve(socket, number));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    violations.add("accept: " + e);
                }
            }
        }
    }

    private void serve(Socket socket, int number) {
        try (socket) {
            socket.setTcpNoDelay(true);
            var in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
            var out = new BufferedOutputStream(socket.getOutputStream(), 64 * 1024);
            while (exchange(in, out, number)) {
                // The next request on this connection.
            }
        } catch (Wire.ProtocolViolation e) {
            violations.add(e.getMessage());
        } catch (IOException e) {
            // The gateway went away in the middle, which tests provoke.
        } finally {
            open.remove(socket);
        }
    }

    private boolean exchange(InputStream in, BufferedOutputStream out, int number)
            throws IOException {
        List<String> head = Wire.head(in);
        if (head.isEmpty()) {
            return false;
        }
        String[] line = head.getFirst().split(" ", -1);
        if (line.length != 3 || !line[2].equals("HTTP/1.1")) {
            throw new Wire.ProtocolViolation("request line: " + head.getFirst());
        }
        List<Request.Field> fields = new ArrayList<>();
        for (String each : head.subList(1, head.size())) {
            fields.add(Wire.field(each));
        }
        var reply = new Reply(out);
        Request request = request(number, line, fields, in);
        if (request.first("expect").isPresent()) {
            reply.raw(Reply.head(100) + "\r\n");
        }
        handler.handle(request, reply);
        out.flush();
        if (reply.closed()) {
            return false;
        }
        request.body().transferTo(OutputStream.nullOutputStream());
        return request.all("connection").noneMatch(value -> value.equalsIgnoreCase("close"));
    }

    private static Request request(
            int number, String[] line, List<Request.Field> fields, InputStream in)
            throws IOException {
        var request =
                new Request(number, line[0], line[1], fields, InputStream.nullInputStream(), in);
        List<String> lengths = request.all("content-length").toList();
        List<String> codings = request.all("transfer-encoding").toList();
        if (lengths.size() + codings.size() > 1) {
            throw new Wire.ProtocolViolation("framing twice: " + lengths + codings);
        }
        if (request.all("host").count() != 1) {
            throw new Wire.ProtocolViolation("not one Host: " + fields);
        }
        if (!codings.isEmpty()) {
            if (!codings.getFirst().equals("chunked")) {
                throw new Wire.ProtocolViolation("Transfer-Encoding: " + codings);
            }
            return new Request(number, line[0], line[1], fields, new Wire.Chunked(in, fields), in);
        }
        if (!lengths.isEmpty()) {
            if (!lengths.getFirst().matches("[0-9]{1,18}")) {
                throw new Wire.ProtocolViolation("Content-Length: " + lengths);
            }
            long length = Long.parseLong(lengths.getFirst());
            return new Request(number, line[0], line[1], fields, new Wire.Sized(in, length), in);
        }
        return request;
    }

    /** Closes every connection that is open, as a process that dies does; goes on accepting. */
    void cutConnections() {
        for (Socket socket : open) {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException e) {
                // Closed already by its own thread.
            }
        }
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cutConnections();
    }
}
