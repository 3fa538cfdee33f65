package dev.sallyport.control.acme;

import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceListBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * An API server that lists the EndpointSlices which a test tells it of, or refuses to; one request
 * a connection.
 */
final class SliceServer implements AutoCloseable {
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final ServerSocket server;
    private final KubernetesClient client;
    private volatile List<EndpointSlice> slices = List.of();
    private volatile int refusal; // 0: none

    SliceServer() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        client =
                new KubernetesClientBuilder()
                        .withConfig(
                                new ConfigBuilder(Config.empty())
                                        .withMasterUrl("http://127.0.0.1:" + server.getLocalPort())
                                        .withRequestRetryBackoffLimit(0)
                                        .build())
                        .build();
        Thread.ofVirtual().start(this::accept);
    }

    KubernetesClient client() {
        return client;
    }

    /** What it was asked, in order: each request's first line. */
    List<String> asked() {
        return List.copyOf(asked);
    }

    void lists(EndpointSlice... all) {
        slices = List.of(all);
        refusal = 0;
    }

    void refuses(int code) {
        refusal = code;
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
    }

    private void accept() {
        while (!server.isClosed()) {
            try (Socket connection = server.accept()) {
                answer(connection);
            } catch (IOException _) {
                // closed, or whoever asked is gone
            }
        }
    }

    private void answer(Socket connection) throws IOException {
        var request =
                new BufferedReader(
                        new InputStreamReader(
                                connection.getInputStream(), StandardCharsets.US_ASCII));
        String first = request.readLine();
        for (String line = first; line != null && !line.isEmpty(); ) {
            line = request.readLine();
        }
        if (first == null) {
            return; // gone before it asked
        }
        asked.add(first);
        int code = refusal;
        KubernetesResource said =
                code == 0
                        ? new EndpointSliceListBuilder().withItems(slices).build()
                        : new StatusBuilder()
                                .withCode(code)
                                .withStatus("Failure")
                                .withMessage("no")
                                .build();
        byte[] body = Serialization.asJson(said).getBytes(StandardCharsets.UTF_8);
        String head =
                "HTTP/1.1 "
                        + (code == 0 ? 200 : code)
                        + " Said\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        + "Content-Length: "
                        + body.length
                        + "\r\n\r\n";
        OutputStream out = connection.getOutputStream();
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(body);
        out.flush();
    }
}
