package dev.sallyport.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * How long a change on a cluster takes to be served, as a client sees it, for gateways side by
 * side: each has Ingresses of its class with Secrets of their own, and one change after another
 * goes to one gateway after the other.
 *
 * <p>{@code ClusterProbe API_SERVER TOKEN_FILE NAMESPACE NODE CLASS=HTTP_PORT:HTTPS_PORT…}, then
 * commands on standard input, each answered by a line on standard output:
 *
 * <pre>
 * fill FROM TO [CLASS]     makes hosts, and waits until each gateway serves the last
 * rotate CHANGES [CLASS]   PATCH of a Secret to the first handshake that shows it
 * create CHANGES [CLASS]   POST of an Ingress to the end of the first answer that is 200
 * issue CHANGES [CLASS]    POST of a Certificate of ClusterIssuer bench to Ready and to being served
 * </pre>
 */
public final class ClusterProbe {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration VALIDITY = Duration.ofDays(60);

    /** Between changes: longer than any hold-off, so that each change finds the gateways quiet. */
    private static final Duration PAUSE = Duration.ofMillis(150);

    /** Between two looks: the bound of what is measured, and air for the others on these cores. */
    private static final Duration LOOK = Duration.ofNanos(500_000);

    private final ApiServer api;
    private final String namespace;
    private final String node;
    private final List<Target> targets;
    private final DemoAuthority authority =
            DemoAuthority.create("Bench CA", InstantSource.system());
    private final SplittableRandom random = new SplittableRandom(7);
    private int hosts;
    private int created;

    private ClusterProbe(ApiServer api, String namespace, String node, List<Target> targets) {
        this.api = api;
        this.namespace = namespace;
        this.node = node;
        this.targets = targets;
    }

    /** A gateway: the class of its Ingresses, and its ports on the node. */
    private record Target(String name, int http, int https) {
        static Target parse(String text) {
            String[] parts = text.split("[=:]", -1);
            return new Target(parts[0], Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        }

        String host(int i) {
            return String.format(Locale.ROOT, "host-%06d.%s.test", i, name);
        }

        String object(int i) {
            return String.format(Locale.ROOT, "%s-%06d", name, i);
        }
    }

    /** What a change took: until the API server answered, and until it was served. */
    private record Took(long answered, long served) {}

    /** See the class comment. */
    public static void main(String[] args) throws Exception {
        List<Target> targets = Arrays.stream(args).skip(4).map(Target::parse).toList();
        try (var api = new ApiServer(URI.create(args[0]), Files.readString(Path.of(args[1])))) {
            var probe = new ClusterProbe(api, args[2], args[3], targets);
            var lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(probe.run(line.strip().split(" ", -1)));
            }
        }
    }

    private String run(String[] command) throws Exception {
        return switch (command[0]) {
            case "fill" ->
                    fill(
                            Integer.parseInt(command[1]),
                            Integer.parseInt(command[2]),
                            chosen(command, 3));
            case "rotate" -> each(command, this::rotate);
            case "create" -> each(command, this::create);
            case "issue" -> each(command, this::issue);
            default -> throw new IllegalArgumentException(command[0]);
        };
    }

    /** The target that a command names, or all. */
    private List<Target> chosen(String[] command, int index) {
        return targets.stream()
                .filter(target -> command.length <= index || target.name().equals(command[index]))
                .toList();
    }

    private String fill(int from, int to, List<Target> filled) throws Exception {
        long begin = System.nanoTime();
        List<CompletableFuture<Void>> made = new ArrayList<>();
        byte[][] last = new byte[filled.size()][];
        for (int i = from; i < to; i++) {
            for (int t = 0; t < last.length; t++) {
                Target target = filled.get(t);
                DemoAuthority.Issued issued = issued(target.host(i));
                last[t] = leaf(issued);
                made.add(api.createWhenFree(secrets(), secret(target, i, issued)));
                made.add(
                        api.createWhenFree(
                                ingresses(),
                                ingress(target, target.object(i), target.host(i), true)));
            }
        }
        CompletableFuture.allOf(made.toArray(CompletableFuture[]::new)).get();
        long applied = System.nanoTime() - begin;
        hosts = to;
        var text = new StringBuilder();
        for (int t = 0; t < last.length; t++) {
            Target target = filled.get(t);
            long served = untilServed(knock(target, target.host(to - 1)), last[t], begin);
            text.append(String.format(Locale.ROOT, ", \"%s\": %.2f", target.name(), served / 1e9));
        }
        return String.format(Locale.ROOT, "{\"applied\": %.2f%s}", applied / 1e9, text);
    }

    private interface Change {
        Took on(Target target) throws Exception;
    }

    private String each(String[] command, Change change) throws Exception {
        int changes = Integer.parseInt(command[1]);
        List<Target> changed = chosen(command, 2);
        List<List<Took>> took = changed.stream().<List<Took>>map(_ -> new ArrayList<>()).toList();
        for (int i = 0; i < changes; i++) {
            for (int t = 0; t < changed.size(); t++) {
                LockSupport.parkNanos(PAUSE.toNanos() + random.nextLong(PAUSE.toNanos()));
                took.get(t).add(change.on(changed.get(t)));
            }
        }
        var text = new StringBuilder();
        for (int t = 0; t < changed.size(); t++) {
            text.append(t == 0 ? "{" : ", ")
                    .append(
                            String.format(
                                    Locale.ROOT,
                                    "\"%s\": {\"served\": %s, \"answered\": %s}",
                                    changed.get(t).name(),
                                    millis(took.get(t).stream().map(Took::served).toList()),
                                    millis(took.get(t).stream().map(Took::answered).toList())));
        }
        return text.append("}").toString();
    }

    private Took rotate(Target target) throws Exception {
        int i = random.nextInt(hosts);
        DemoAuthority.Issued issued = issued(target.host(i));
        String json =
                String.format(
                        Locale.ROOT,
                        "{\"data\": {\"tls.crt\": \"%s\", \"tls.key\": \"%s\"}}",
                        Folder.base64(issued.tlsCrt()),
                        Folder.base64(issued.tlsKey()));
        byte[] leaf = leaf(issued);
        Knock knock = knock(target, target.host(i));
        long begin = System.nanoTime();
        // Whoever looks before takes time from the API server: what is served sooner counts as now.
        long answered =
                api.patch(secrets() + "/" + target.object(i), json)
                        .thenApply(_ -> System.nanoTime() - begin)
                        .get();
        return new Took(answered, untilServed(knock, leaf, begin));
    }

    private Took create(Target target) throws Exception {
        String name = target.name() + "-new-" + created++;
        String host = name + ".test";
        // One connection that stays, so that a look costs next to nothing.
        try (var socket = new Socket(node, target.http())) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(30_000);
            if (status(socket, host) != 404) {
                throw new IOException(host + ": not 404 before it was made");
            }
            String json = ingress(target, name, host, false);
            long begin = System.nanoTime();
            long answered =
                    api.create(ingresses(), json).thenApply(_ -> System.nanoTime() - begin).get();
            while (status(socket, host) != 200) {
                look(host, begin);
            }
            return new Took(answered, System.nanoTime() - begin);
        }
    }

    /** {@link Took#answered} is the time until the Certificate was Ready. */
    private Took issue(Target target) throws Exception {
        String name = target.name() + "-issued-" + created++;
        String host = name + ".test";
        api.create(ingresses(), ingress(target, name, host, true)).get();
        Knock knock = knock(target, host);
        byte[] before = knock.leaf();
        String path = "/apis/cert-manager.io/v1/namespaces/" + namespace + "/certificates";
        long begin = System.nanoTime();
        api.create(
                        path,
                        String.format(
                                Locale.ROOT,
                                """
                                {"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
                                 "metadata": {"name": "%1$s"},
                                 "spec": {"secretName": "%1$s", "dnsNames": ["%2$s"],
                                          "privateKey": {"algorithm": "ECDSA", "size": 256},
                                          "issuerRef": {"kind": "ClusterIssuer", "name": "bench"}}}
                                """,
                                name,
                                host))
                .get();
        long served = 0;
        long ready = 0;
        while (ready == 0 || served == 0) {
            byte[] now = served == 0 ? knock.leaf() : before;
            if (now.length > 0 && !Arrays.equals(now, before)) {
                served = System.nanoTime() - begin;
            }
            if (ready == 0 && api.get(path + "/" + name).contains("\"reason\":\"Ready\"")) {
                ready = System.nanoTime() - begin;
            }
            look(host, begin);
        }
        return new Took(ready, served);
    }

    private static long untilServed(Knock knock, byte[] leaf, long begin) throws Exception {
        while (!Arrays.equals(knock.leaf(), leaf)) {
            look(knock.toString(), begin);
        }
        return System.nanoTime() - begin;
    }

    private static void look(String host, long begin) throws IOException {
        if (System.nanoTime() - begin > PATIENCE.toNanos()) {
            throw new IOException(host + ": not served after " + PATIENCE);
        }
        LockSupport.parkNanos(LOOK.toNanos());
    }

    private Knock knock(Target target, String host) throws Exception {
        return new Knock(new InetSocketAddress(node, target.https()), host);
    }

    private static byte[] leaf(DemoAuthority.Issued issued) throws GeneralSecurityException {
        return ServedProbe.leaf(issued).getEncoded();
    }

    private static int status(Socket socket, String host) throws IOException {
        String request = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(US_ASCII));
        var in = socket.getInputStream();
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException(host + ": closed before an answer");
            }
            head.append((char) next);
        }
        int length = 0;
        for (String line : head.toString().split("\r\n", -1)) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            } else if (line.regionMatches(true, 0, "transfer-encoding:", 0, 18)) {
                throw new IOException(host + ": an answer in chunks");
            }
        }
        in.skipNBytes(length);
        return Integer.parseInt(head.substring(9, 12));
    }

    private String secrets() {
        return "/api/v1/namespaces/" + namespace + "/secrets";
    }

    private String ingresses() {
        return "/apis/networking.k8s.io/v1/namespaces/" + namespace + "/ingresses";
    }

    private DemoAuthority.Issued issued(String host) {
        return authority.issue(List.of(new Hostname.Exact(host)), VALIDITY, KeyType.ECDSA);
    }

    private static String secret(Target target, int i, DemoAuthority.Issued issued) {
        return String.format(
                Locale.ROOT,
                """
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "%s"}, "type": "kubernetes.io/tls",
                 "data": {"tls.crt": "%s", "tls.key": "%s"}}
                """,
                target.object(i),
                Folder.base64(issued.tlsCrt()),
                Folder.base64(issued.tlsKey()));
    }

    private static String ingress(Target target, String name, String host, boolean tls) {
        return String.format(
                Locale.ROOT,
                """
                {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "%2$s"},
                 "spec": {"ingressClassName": "%1$s", %4$s
                          "rules": [{"host": "%3$s", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                            "backend": {"service": {"name": "echo", "port": {"number": 80}}}}]}}]}}
                """,
                target.name(),
                name,
                host,
                tls
                        ? String.format(
                                Locale.ROOT,
                                "\"tls\": [{\"hosts\": [\"%s\"], \"secretName\": \"%s\"}],",
                                host,
                                name)
                        : "");
    }

    private static String millis(List<Long> nanos) {
        return nanos.stream()
                .map(each -> String.format(Locale.ROOT, "%.2f", each / 1e6))
                .toList()
                .toString();
    }
}
