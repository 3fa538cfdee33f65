package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies larger than the gateway's whole memory, and WebSockets. */
final class StreamingIT {

    private static final int BLOCKS = 200;

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend bulk;
    private static Backend webSocket;
    private static Gateway gateway;
    private static Curl curl;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        bulk =
                Backend.start((request, reply) -> {
                    if (request.method().equals("GET")) {
                        reply.raw(Reply.head(200, "Content-Length: " + size(BLOCKS)) + "\r\n");
                        Block.write(reply.out(), BLOCKS);
                    } else {
                        reply.send(200, Block.sum(request.body()));
                    }
                });
        webSocket = Backend.start(new WebSocketEcho());
        Folder folder =
                Folder.in(work)
                        .put(
                                "all.yaml",
                                Manifests.service("bulk", bulk),
                                Manifests.service("ws", webSocket),
                                Manifests.secret("tls", pki.ecdsa("shop.test", "ws.test")),
                                ingress("all")
                                        .tls("tls", "shop.test", "ws.test")
                                        .host("shop.test", "bulk")
                                        .host("ws.test", "ws")
                                        .yaml());
        // Less memory in all than one body has: who gathers bodies dies here.
        gateway =
                Gateway.in(work, pki, folder)
                        .jvm("-Xmx96m", "-XX:MaxDirectMemorySize=64m", "-Xms32m")
                        .start();
        curl = new Curl(gateway, pki);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        bulk.close();
        webSocket.close();
        assertThat(bulk.violations()).isEmpty();
    }

    private static long size(int blocks) {
        return (long) blocks * Block.SIZE;
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void aLargeUploadArrivesWholeWithinBoundedMemory(String version, @TempDir Path folder)
            throws IOException {
        Path file = folder.resolve("upload");
        try (var out = new BufferedOutputStream(Files.newOutputStream(file))) {
            Block.write(out, BLOCKS);
        }
        long before = gateway.residentBytes();

        Curl.Answer answer = curl.https("shop.test", "/up", version, "-T", file.toString());

        assertThat(answer.body()).isEqualTo(Block.sum(BLOCKS));
        assertThat(gateway.residentBytes() - before).isLessThan(100L * Block.SIZE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void aLargeDownloadArrivesWholeWithinBoundedMemory(String version, @TempDir Path folder)
            throws IOException {
        Path file = folder.resolve("download");
        long before = gateway.residentBytes();

        curl.save(file, "shop.test", "/down", version);

        try (InputStream saved = Files.newInputStream(file)) {
            assertThat(Block.sum(saved)).isEqualTo(Block.sum(BLOCKS));
        }
        assertThat(gateway.residentBytes() - before).isLessThan(100L * Block.SIZE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 125, 126, 65_536, 1_000_000})
    void aWebSocketCarriesMessagesBothWays(int size) throws Exception {
        byte[] message = new byte[size];
        Arrays.fill(message, (byte) 'm');
        var listener = new Collector();
        try (HttpClient client = HttpClient.newBuilder().sslContext(pki.clientContext()).build()) {
            WebSocket socket =
                    client.newWebSocketBuilder()
                            .buildAsync(
                                    URI.create("wss://ws.test:" + gateway.https() + "/chat"),
                                    listener)
                            .get(20, TimeUnit.SECONDS);

            socket.sendBinary(ByteBuffer.wrap(message), true).get(20, TimeUnit.SECONDS);

            assertThat(listener.messages.poll(20, TimeUnit.SECONDS)).isEqualTo(message);
            socket.sendClose(4001, "done").get(20, TimeUnit.SECONDS);
            assertThat(listener.closed.get(20, TimeUnit.SECONDS)).isEqualTo(4001);
        }
    }

    @Test
    void aRefusedWebSocketIsAnOrdinaryResponse() {
        assertThat(curl.https("ws.test", "/", "--http1.1").status()).isEqualTo(426);
    }

    @Test
    void aWebSocketOverHttp2CarriesMessagesBothWays() throws Exception {
        try (Http2Client client = Http2Client.connect(gateway.https(), "ws.test")) {
            assertThat(client.settings().connectProtocolEnabled()).isTrue();
            Http2Client.Stream stream =
                    client.open(
                            new DefaultHttp2Headers(false)
                                    .method("CONNECT")
                                    .set(":protocol", "websocket")
                                    .scheme("https")
                                    .authority("ws.test:" + gateway.https())
                                    .path("/chat")
                                    .set("sec-websocket-version", "13"),
                            false);
            assertThat(stream.status()).isEqualTo("200");

            stream.send(maskedText("hello over h2"), false);

            byte[] frame = stream.read(2 + "hello over h2".length());
            assertThat(frame[0]).isEqualTo((byte) 0x81);
            assertThat(new String(frame, 2, frame.length - 2, UTF_8)).isEqualTo("hello over h2");
        }
    }

    /** A text frame as clients send it, RFC 6455 section 5.2. */
    private static byte[] maskedText(String text) {
        byte[] payload = text.getBytes(UTF_8);
        byte[] mask = {1, 2, 3, 4};
        byte[] frame = new byte[6 + payload.length];
        frame[0] = (byte) 0x81;
        frame[1] = (byte) (0x80 | payload.length);
        System.arraycopy(mask, 0, frame, 2, 4);
        for (int i = 0; i < payload.length; i++) {
            frame[6 + i] = (byte) (payload[i] ^ mask[i % 4]);
        }
        return frame;
    }

    /** Gathers whole messages. */
    private static final class Collector implements WebSocket.Listener {
        private final BlockingQueue<byte[]> messages = new LinkedBlockingQueue<>();
        private final CompletableFuture<Integer> closed = new CompletableFuture<>();
        private final ByteArrayOutputStream message = new ByteArrayOutputStream();

        @Override
        public @Nullable CompletionStage<?> onBinary(
                WebSocket socket, ByteBuffer data, boolean last) {
            byte[] part = new byte[data.remaining()];
            data.get(part);
            message.writeBytes(part);
            if (last) {
                messages.add(message.toByteArray());
                message.reset();
            }
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            closed.complete(code);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            closed.completeExceptionally(error);
        }
    }
}
