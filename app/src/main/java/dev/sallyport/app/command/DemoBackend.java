package dev.sallyport.app.command;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A small backend of the demonstration: answers with what it was asked. */
final class DemoBackend implements AutoCloseable {
    private static final List<String> SHOWN =
            List.of("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id");

    private final String name;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private DemoBackend(String name, HttpServer server) {
        this.name = name;
        this.server = server;
    }

    /** Starts one on a free port of 127.0.0.1. */
    static DemoBackend start(String name) throws IOException {
        var address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        var backend = new DemoBackend(name, HttpServer.create(address, 0));
        backend.server.createContext("/", backend::answer);
        backend.server.setExecutor(backend.threads);
        backend.server.start();
        return backend;
    }

    int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            var text = new StringBuilder("Hello from the " + name + " backend.\n\n");
            text.append(exchange.getRequestMethod() + " " + exchange.getRequestURI() + "\n");
            for (String field : SHOWN) {
                String value = exchange.getRequestHeaders().getFirst(field);
                if (value != null) {
                    text.append(field + ": " + value + "\n");
                }
            }
            byte[] body = text.toString().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(200, head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        }
    }
}
