package dev.sallyport.app.command;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.json.JsonMapper;

/**
 * As much of an API server as the training needs: it lists the objects of a folder and takes
 * watches (WebSockets), on which it tells of changes; whatever is written is answered with itself.
 */
final class TrainingApiServer implements AutoCloseable {
    private static final String WEB_SOCKET_KEY = "sec-websocket-key";
    private static final String WEB_SOCKET_ID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455
    private static final int LONGEST_HEAD = 16 << 10;
    private static final String NAMESPACE = "default";

    /** Where lists of a kind are. */
    private static final Map<String, String> KINDS =
            Map.of(
                    "ingressclasses", "IngressClass",
                    "ingresses", "Ingress",
                    "services", "Service",
                    "endpointslices", "EndpointSlice",
                    "secrets", "Secret",
                    "namespaces", "Namespace");

    private final JsonMapper json = new JsonMapper();
    private final AtomicInteger version = new AtomicInteger(100);
    private final List<Map<String, Object>> objects;
    private final List<Watch> watches = new CopyOnWriteArrayList<>();
    private final ServerSocket listener;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private TrainingApiServer(List<Map<String, Object>> objects, ServerSocket listener) {
        this.objects = objects;
        this.listener = listener;
    }

    /** One open watch of a kind. */
    private record Watch(String kind, OutputStream out) {
        synchronized void send(byte[] event) throws IOException {
            // One frame of text, unmasked, as servers send them.
            boolean small = event.length < 126;
            ByteBuffer frame =
                    ByteBuffer.allocate(event.length + (small ? 2 : 10)).put((byte) 0x81);
            if (small) {
                frame.put((byte) event.length);
            } else {
                frame.put((byte) 127).putLong(event.length);
            }
            out.write(frame.put(event).array());
            out.flush();
        }
    }

    /** Starts one on a free port of 127.0.0.1 with the manifests of a folder, and a class. */
    static TrainingApiServer start(Path manifests) throws IOException {
        List<Map<String, Object>> objects = new ArrayList<>();
        objects.add(
                Map.of(
                        "apiVersion",
                        "networking.k8s.io/v1",
                        "kind",
                        "IngressClass",
                        "metadata",
                        Map.of(
                                "name",
                                "sallyport",
                                "annotations",
                                Map.of("ingressclass.kubernetes.io/is-default-class", "true")),
                        "spec",
                        Map.of("controller", "sallyport.dev/ingress-controller")));
        try (Stream<Path> files = Files.list(manifests)) {
            for (Path file : files.sorted().toList()) {
                objects.addAll(documents(Files.readString(file, StandardCharsets.UTF_8)));
            }
        }
        var server =
                new TrainingApiServer(
                        new CopyOnWriteArrayList<>(objects),
                        new ServerSocket(0, 0, InetAddress.ofLiteral("127.0.0.1")));
        server.threads.execute(server::accept);
        return server;
    }

    /** A kubeconfig for it. */
    String kubeconfig() {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Config
                current-context: train
                contexts: [{name: train, context: {cluster: train, user: train}}]
                clusters: [{name: train, cluster: {server: "http://127.0.0.1:%d"}}]
                users: [{name: train, user: {}}]
                """,
                listener.getLocalPort());
    }

    /** Tells of the Secrets in a manifest on all watches of Secrets. */
    void change(Path manifest) throws IOException {
        for (Map<String, Object> object :
                documents(Files.readString(manifest, StandardCharsets.UTF_8))) {
            byte[] event =
                    json.writeValueAsBytes(Map.of("type", "MODIFIED", "object", served(object)));
            for (Watch watch : watches) {
                if (watch.kind().equals(object.get("kind"))) {
                    watch.send(event);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        threads.shutdownNow();
    }

    @SuppressWarnings("unchecked") // manifests are maps
    private static List<Map<String, Object>> documents(String yaml) {
        List<Map<String, Object>> documents = new ArrayList<>();
        new Load(LoadSettings.builder().build())
                .loadAllFromString(yaml)
                .forEach(document -> documents.add((Map<String, Object>) document));
        return documents;
    }

    /** An object as an API server holds it. */
    private Map<String, Object> served(Map<String, Object> object) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        if (object.get("metadata") instanceof Map<?, ?> written) {
            written.forEach((key, value) -> metadata.put(String.valueOf(key), value));
        }
        String kind = String.valueOf(object.get("kind"));
        if (!kind.equals("IngressClass")) {
            metadata.put("namespace", NAMESPACE);
        }
        metadata.put("uid", kind + "-" + metadata.get("name"));
        metadata.put("resourceVersion", Integer.toString(version.incrementAndGet()));
        metadata.put("creationTimestamp", "2026-01-01T00:00:00Z");
        Map<String, Object> served = new LinkedHashMap<>(object);
        served.put("metadata", metadata);
        return served;
    }

    private void accept() {
        try {
            while (!listener.isClosed()) {
                Socket socket = listener.accept();
                threads.execute(() -> serve(socket));
            }
        } catch (IOException _) {
            // closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            for (Request request = read(in); request != null; request = read(in)) {
                if (request.fields().containsKey(WEB_SOCKET_KEY)) {
                    watch(request, in, out);
                    return;
                }
                byte[] body = answer(request);
                String head =
                        String.format(
                                Locale.ROOT,
                                "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length:"
                                        + " %d\r\n\r\n",
                                body.length == 0 ? "404 Not Found" : "200 OK",
                                body.length);
                out.write(head.getBytes(StandardCharsets.US_ASCII));
                out.write(body);
                out.flush();
            }
        } catch (IOException | UncheckedIOException _) {
            // The gateway ends connections as it likes.
        }
    }

    /** Anything that asks. */
    private record Request(String method, String path, Map<String, String> fields, String body) {
        /** The plural of what is asked for. */
        String plural() {
            return path.substring(path.lastIndexOf('/') + 1);
        }
    }

    private static @Nullable Request read(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0 || head.size() > LONGEST_HEAD) {
                return null;
            }
            head.write(next);
        }
        List<String> lines =
                List.of(head.toString(StandardCharsets.US_ASCII).strip().split("\r\n", -1));
        Map<String, String> fields = new LinkedHashMap<>();
        for (String line : lines.subList(1, lines.size())) {
            int colon = line.indexOf(':');
            fields.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        String[] words = lines.getFirst().split(" ", -1);
        int length = Integer.parseInt(fields.getOrDefault("content-length", "0"));
        return new Request(
                words[0],
                words[1].replaceFirst("\\?.*", ""),
                fields,
                new String(in.readNBytes(length), StandardCharsets.UTF_8));
    }

    /** Empty where there is no such thing. */
    private byte[] answer(Request request) {
        if (!request.method().equals("GET")) {
            return request.body().getBytes(StandardCharsets.UTF_8);
        }
        String kind = KINDS.get(request.plural());
        if (kind == null) {
            return new byte[0];
        }
        List<Map<String, Object>> items =
                objects.stream()
                        .filter(object -> kind.equals(object.get("kind")))
                        .map(this::served)
                        .toList();
        return json.writeValueAsBytes(
                Map.of(
                        "kind",
                        kind + "List",
                        "apiVersion",
                        items.isEmpty() ? "v1" : items.getFirst().get("apiVersion"),
                        "metadata",
                        Map.of("resourceVersion", version.toString()),
                        "items",
                        items));
    }

    /** Answers pings until the other end closes. */
    private void watch(Request request, InputStream in, OutputStream out) throws IOException {
        String accept =
                Base64.getEncoder()
                        .encodeToString(sha1(request.fields().get(WEB_SOCKET_KEY) + WEB_SOCKET_ID));
        String head =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: "
                        + accept
                        + "\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.flush();
        var watch = new Watch(KINDS.getOrDefault(request.plural(), ""), out);
        watches.add(watch);
        try {
            while (in.read() >= 0) {
                // Pings are not answered: the training is over before anybody minds.
            }
        } finally {
            watches.remove(watch);
        }
    }

    private static byte[] sha1(String text) {
        try {
            return MessageDigest.getInstance("SHA-1")
                    .digest(text.getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}
