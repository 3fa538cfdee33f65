package dev.sallyport.app.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sallyport.app.telemetry.MetricsPage;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * The admin port. Its own server and threads, so that probes are answered while the data plane is
 * busy. Reads immutable values only; evaluates nothing of a request but its path.
 *
 * <p>The bounds of the JDK's server (connections, time of a request) are system properties: {@code
 * config/jvm.options}.
 */
public final class AdminServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AdminServer.class);
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String JSON = "application/json";
    private static final int BACKLOG = 128;

    /** Pages being made; more wait. A page of 100,000 rows takes some ten MiB. */
    private static final int CONCURRENT_PAGES = 8;

    private final HttpServer server;
    private final boolean local;
    private final Semaphore rendering = new Semaphore(CONCURRENT_PAGES);
    private final ExecutorService threads;
    private final JsonMapper json = JsonMapper.builder().build();
    private final Map<String, Page> pages = new LinkedHashMap<>();

    /** What is at a path. */
    @FunctionalInterface
    private interface Page {
        Answer answer() throws IOException;
    }

    /** What a page says. Not a record: it holds an array. */
    private static final class Answer {
        private final int status;
        private final String contentType;
        private final byte[] body;

        Answer(int status, String contentType, byte[] body) {
            this.status = status;
            this.contentType = contentType;
            this.body = body;
        }

        static Answer text(int status, String text) {
            return new Answer(status, TEXT, (text + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    private AdminServer(HttpServer server, AdminState state) {
        this.server = server;
        this.local = server.getAddress().getAddress().isLoopbackAddress();
        this.threads =
                Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("admin-", 0).factory());
        var metrics = new MetricsPage(state);
        pages.put("/", () -> Answer.text(200, String.join("\n", pages.keySet())));
        pages.put("/livez", () -> Answer.text(200, "ok"));
        pages.put("/readyz", () -> readiness(state.readiness()));
        pages.put("/metrics", () -> new Answer(200, MetricsPage.CONTENT_TYPE, metrics.render()));
        pages.put(
                "/api/certificates",
                () ->
                        json(
                                "certificates",
                                CertificateView.of(
                                        state.served().certificates(), state.control().truth())));
        pages.put("/api/routes", () -> json("routes", RouteView.of(state.served())));
        pages.put(
                "/api/findings",
                () ->
                        json(
                                "findings",
                                state.control().findings().stream().map(FindingView::of).toList()));
    }

    /**
     * Binds and answers at once.
     *
     * @throws IOException where the address cannot be bound
     */
    public static AdminServer start(InetSocketAddress address, AdminState state)
            throws IOException {
        var admin = new AdminServer(HttpServer.create(address, BACKLOG), state);
        admin.server.createContext("/", admin::handle);
        admin.server.setExecutor(admin.threads);
        admin.server.start();
        return admin;
    }

    /** Where it listens; tells the port where 0 was asked for. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    /** Stops at once. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private static Answer readiness(Readiness readiness) {
        return Answer.text(readiness.ready() ? 200 : 503, readiness.message());
    }

    private Answer json(String name, List<?> rows) {
        return new Answer(200, JSON, json.writeValueAsBytes(Map.of(name, rows)));
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer;
            String method = exchange.getRequestMethod();
            Page page = pages.get(exchange.getRequestURI().getPath());
            if (local && !namesThisMachine(exchange.getRequestHeaders().getFirst("Host"))) {
                answer = Answer.text(421, "only localhost and IP addresses are answered here");
            } else if (page == null) {
                answer = Answer.text(404, "no such page; see /");
            } else if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                answer = Answer.text(405, "only GET and HEAD are answered here");
            } else {
                answer = render(page);
            }
            send(exchange, answer, method.equals("HEAD"));
        } catch (RuntimeException bug) {
            LOG.atError()
                    .setCause(bug)
                    .addKeyValue("path", exchange.getRequestURI().getPath())
                    .log("admin page failed");
            throw bug;
        }
    }

    private Answer render(Page page) throws IOException {
        rendering.acquireUninterruptibly();
        try {
            return page.answer();
        } finally {
            rendering.release();
        }
    }

    /**
     * A page in a browser on this machine may point its own host name at 127.0.0.1 and read what is
     * here (DNS rebinding); its requests still carry that name.
     */
    private static boolean namesThisMachine(@Nullable String host) {
        if (host == null) {
            return true;
        }
        int colon = host.lastIndexOf(':');
        String name = colon > host.lastIndexOf(']') ? host.substring(0, Math.max(colon, 0)) : host;
        if (name.equalsIgnoreCase("localhost")) {
            return true;
        }
        boolean bracketed = name.startsWith("[") && name.endsWith("]");
        try {
            var _ = InetAddress.ofLiteral(bracketed ? name.substring(1, name.length() - 1) : name);
            return true;
        } catch (IllegalArgumentException aName) {
            return false;
        }
    }

    private static void send(HttpExchange exchange, Answer answer, boolean head)
            throws IOException {
        exchange.getResponseHeaders().set("Content-Type", answer.contentType);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        if (head) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(answer.body.length));
            exchange.sendResponseHeaders(answer.status, -1);
            return;
        }
        exchange.sendResponseHeaders(answer.status, answer.body.length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(answer.body);
        }
    }
}
