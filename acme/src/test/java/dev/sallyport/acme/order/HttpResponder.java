package dev.sallyport.acme.order;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.plan.Identifier;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Answers HTTP-01 challenges on a port of this machine. */
final class HttpResponder implements ChallengeBoard, AutoCloseable {
    volatile boolean lies;

    private final Map<String, String> tokens = new ConcurrentHashMap<>();
    private final HttpServer server;

    HttpResponder(int port) throws IOException {
        server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/.well-known/acme-challenge/", this::answer);
        server.start();
    }

    @Override
    public boolean takes(ChallengeType type, Identifier identifier) {
        return type == ChallengeType.HTTP_01;
    }

    @Override
    public void present(Proof proof, Duration patience) {
        Proof.Http http = (Proof.Http) proof;
        tokens.put(http.token(), http.keyAuthorization());
    }

    @Override
    public void withdraw(Proof proof) {
        tokens.remove(((Proof.Http) proof).token());
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        @Nullable String known = tokens.get(path.substring(path.lastIndexOf('/') + 1));
        byte[] body =
                (known == null ? "none" : lies ? "a.lie" : known)
                        .getBytes(StandardCharsets.US_ASCII);
        exchange.sendResponseHeaders(known == null ? 404 : 200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
