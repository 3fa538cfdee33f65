package dev.sallyport.app.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.app.telemetry.MetricsPage;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * The admin port. Its own server and threads, so that probes are answered while the data plane is
 * busy. Reads immutable values only; evaluates nothing of a request but its path, and does
 * something only for those on this machine, and never for a web page.
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

    private static final String SUPERSEDED = "superseded";
    private static final String KEY_COMPROMISE = "key-compromise";
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9*._:-]+");
    private static final Answer NOTHING_ISSUED =
            Answer.text(
                    404,
                    "this gateway has no certificates issued: start it with --acme-directory, see"
                            + " docs/acme.md");

    private final HttpServer server;
    private final boolean local;
    private final Semaphore rendering = new Semaphore(CONCURRENT_PAGES);
    private final ExecutorService threads;
    private final JsonMapper json = JsonMapper.builder().build();
    private final Map<String, Page> pages = new LinkedHashMap<>();
    private final Map<String, Action> actions = new LinkedHashMap<>();

    /** What is at a path. */
    @FunctionalInterface
    private interface Page {
        Answer answer() throws IOException;
    }

    /** What is done where something is sent to a path. */
    @FunctionalInterface
    private interface Action {
        Answer answer(Map<String, String> parameters);
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
        pages.put("/", () -> Answer.text(200, String.join("\n", paths())));
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
        pages.put(
                "/api/acme",
                () ->
                        state.acme()
                                .map(desk -> json(200, AcmeView.of(desk.state())))
                                .orElse(NOTHING_ISSUED));
        actions.put("/api/acme/renew", parameters -> renew(state, parameters));
        actions.put("/api/acme/revoke", parameters -> revoke(state, parameters));
        actions.put("/api/acme/rollover", parameters -> rollOver(state, parameters));
    }

    private List<String> paths() {
        return Stream.concat(
                        pages.keySet().stream(),
                        actions.keySet().stream().map(path -> "POST " + path))
                .toList();
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
        return json(200, Map.of(name, rows));
    }

    private Answer json(int status, Object page) {
        return new Answer(status, JSON, json.writeValueAsBytes(page));
    }

    private Answer renew(AdminState state, Map<String, String> parameters) {
        return tell(state, parameters, Set.of("host"), "renew", AcmeDesk::renew);
    }

    private Answer revoke(AdminState state, Map<String, String> parameters) {
        String reason = parameters.getOrDefault("reason", SUPERSEDED);
        if (!reason.equals(SUPERSEDED) && !reason.equals(KEY_COMPROMISE)) {
            return Answer.text(
                    400, "reason: expected one of " + SUPERSEDED + " and " + KEY_COMPROMISE);
        }
        boolean keyCompromised = reason.equals(KEY_COMPROMISE);
        return tell(
                state,
                parameters,
                Set.of("host", "reason"),
                keyCompromised ? "revoke --" + KEY_COMPROMISE : "revoke",
                (desk, id) -> desk.revoke(id, keyCompromised));
    }

    private Answer rollOver(AdminState state, Map<String, String> parameters) {
        Optional<AcmeDesk> desk = state.acme();
        if (desk.isEmpty()) {
            return NOTHING_ISSUED;
        }
        String issuer = parameters.getOrDefault("issuer", "");
        if (issuer.isEmpty() || parameters.size() != 1) {
            return Answer.text(400, "expected: ?issuer= with an issuer's name, and nothing else");
        }
        return switch (desk.get().rollOver(issuer)) {
            case ACCEPTED -> json(202, Map.of("issuer", issuer, "accepted", true));
            case UNKNOWN, NOT_ISSUED, NO_ISSUER, FOREIGN ->
                    Answer.text(404, "no issuer of that name; /api/acme lists those there are");
            case NOT_LEADING -> anotherOrders(state, "rollover", issuer);
        };
    }

    private Answer tell(
            AdminState state,
            Map<String, String> parameters,
            Set<String> known,
            String command,
            BiFunction<AcmeDesk, CertificateId, CertificateKeeper.Answer> order) {
        Optional<AcmeDesk> desk = state.acme();
        if (desk.isEmpty()) {
            return NOTHING_ISSUED;
        }
        Optional<Identifier> host = identifier(parameters.getOrDefault("host", ""));
        if (host.isEmpty() || !known.containsAll(parameters.keySet())) {
            return Answer.text(
                    400,
                    "expected: ?host= with a host's name or one of acme.addresses, and nothing"
                            + " unknown");
        }
        return switch (desk.get()
                .find(host.get())
                .map(id -> order.apply(desk.get(), id))
                .orElse(CertificateKeeper.Answer.UNKNOWN)) {
            case ACCEPTED -> json(202, Map.of("host", host.get().text(), "accepted", true));
            case UNKNOWN ->
                    Answer.text(
                            404,
                            "no certificate for "
                                    + host.get().text()
                                    + " is wanted or kept; /api/acme lists those that are");
            case NOT_ISSUED ->
                    Answer.text(
                            404,
                            "there is no certificate for "
                                    + host.get().text()
                                    + " yet; `sallyport acme orders` says how far it is");
            case NO_ISSUER ->
                    Answer.text(
                            409,
                            "nothing can be ordered for "
                                    + host.get().text()
                                    + ": none of its issuers is configured; /api/findings says who"
                                    + " names which");
            case FOREIGN ->
                    Answer.text(
                            409,
                            "the certificate for "
                                    + host.get().text()
                                    + " comes from a CA that is not configured: configure it as an"
                                    + " issuer, with its name of before, or have it revoked by what"
                                    + " ordered it");
            case NOT_LEADING -> anotherOrders(state, command, host.get().text());
        };
    }

    /** With the command that reaches the one that does, where that is known. */
    private static Answer anotherOrders(AdminState state, String command, String about) {
        String who =
                state.reported()
                        .leader()
                        .map(pod ->
                                pod
                                        + " does: kubectl -n "
                                        + pod.namespace()
                                        + " exec "
                                        + pod.name()
                                        + " -- sallyport acme "
                                        + command
                                        + " "
                                        + word(about))
                        .orElse("ask the one whose /api/acme says leads");
        return Answer.text(409, "another replica orders: " + who);
    }

    /** For a shell; what no shell would take as it is, people are to fill in. */
    private static String word(String text) {
        return !PLAIN.matcher(text).matches()
                ? "…"
                : text.indexOf('*') < 0 ? text : "'" + text + "'";
    }

    private static Optional<Identifier> identifier(String written) {
        try {
            return Optional.of(Identifier.parse(written));
        } catch (IllegalArgumentException neither) {
            return Optional.empty();
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer;
            String method = exchange.getRequestMethod();
            Page page = pages.get(exchange.getRequestURI().getPath());
            Action action = actions.get(exchange.getRequestURI().getPath());
            if (local && !namesThisMachine(exchange.getRequestHeaders().getFirst("Host"))) {
                answer = Answer.text(421, "only localhost and IP addresses are answered here");
            } else if (action != null) {
                answer = perform(action, exchange);
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

    /**
     * A web page can send a request anywhere, but no header of its own without being allowed to;
     * here nobody ever is.
     */
    private Answer perform(Action action, HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            exchange.getResponseHeaders().set("Allow", "POST");
            return Answer.text(405, "only POST is answered here");
        }
        if (!exchange.getRemoteAddress().getAddress().isLoopbackAddress()
                || !namesThisMachine(exchange.getRequestHeaders().getFirst("Host"))) {
            return Answer.text(403, "only requests from this machine, to an address, are taken");
        }
        if (!List.of("1").equals(exchange.getRequestHeaders().get("X-Sallyport"))) {
            return Answer.text(403, "expected: the header X-Sallyport: 1");
        }
        Optional<Map<String, String>> parameters = parameters(exchange.getRequestURI());
        return parameters.isEmpty()
                ? Answer.text(400, "expected: each parameter once, as name=value")
                : render(() -> action.answer(parameters.get()));
    }

    /** What a query says; empty where it says something twice, or is none. */
    private static Optional<Map<String, String>> parameters(URI uri) {
        Map<String, String> parameters = new LinkedHashMap<>();
        String query = uri.getRawQuery();
        if (query == null || query.isEmpty()) {
            return Optional.of(parameters);
        }
        for (String part : query.split("&", -1)) {
            int equals = part.indexOf('=');
            try {
                if (equals < 1
                        || parameters.put(
                                        part.substring(0, equals),
                                        URLDecoder.decode(
                                                part.substring(equals + 1), StandardCharsets.UTF_8))
                                != null) {
                    return Optional.empty();
                }
            } catch (IllegalArgumentException malformed) {
                return Optional.empty();
            }
        }
        return Optional.of(parameters);
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
