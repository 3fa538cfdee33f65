package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.RawBackend;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.upstream.UpstreamRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.resolver.DefaultNameResolver;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** HTTP/1.1 from a client's socket to a backend's and back, byte for byte at both ends. */
class ProxyIT {
    private static final String HOST = "Host: shop.example\r\n";
    private static final String OK = "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\n\r\nok";

    private final MultiThreadIoEventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void getIsAnsweredAndTheConnectionsAreKept() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Client client = connect(backend)) {
            for (int i = 0; i < 3; i++) {
                client.send("GET / HTTP/1.1\r\n" + HOST + "\r\n");
                assertThat(client.readHead()).contains("content-length: 2\r\n");
                assertThat(client.read(2)).isEqualTo("ok");
            }
            assertThat(backend.accepted()).isEqualTo(1);
        }
    }

    @Test
    void bodyWithALengthArrives() throws Exception {
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            seen.add(String.valueOf(connection.readHead()));
                            seen.add(new String(connection.read(5), StandardCharsets.US_ASCII));
                            connection.send(OK);
                        });
                Client client = connect(backend)) {
            client.send("POST /a HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(next()).startsWith("POST /a HTTP/1.1\r\n").contains("content-length: 5\r\n");
            assertThat(next()).isEqualTo("hello");
        }
    }

    @Test
    void chunksAndTrailersPassBothWays() throws Exception {
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            seen.add(String.valueOf(connection.readHead()));
                            seen.add(connection.readChunked());
                            connection.send(
                                    crlf(
                                            """
                                            HTTP/1.1 200 OK
                                            Transfer-Encoding: chunked

                                            3
                                            abc
                                            0
                                            Sum: 1

                                            """));
                        });
                Client client = connect(backend)) {
            client.send(
                    "POST / HTTP/1.1\r\n"
                            + HOST
                            + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n");
            client.send("0\r\nMy-Sum: 2\r\n\r\n");
            assertThat(client.readHead()).contains("transfer-encoding: chunked\r\n");
            assertThat(client.read(21)).isEqualTo("3\r\nabc\r\n0\r\nSum: 1\r\n\r\n");
            assertThat(next()).contains("transfer-encoding: chunked\r\n");
            assertThat(next()).isEqualTo("hi|My-Sum: 2");
        }
    }

    @Test
    void responseToHeadHasNoBody() throws Exception {
        try (RawBackend backend =
                        RawBackend.answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
                Client client = connect(backend)) {
            for (int i = 0; i < 2; i++) {
                client.send("HEAD / HTTP/1.1\r\n" + HOST + "\r\n");
                assertThat(client.readHead()).contains("content-length: 5\r\n");
            }
        }
    }

    @Test
    void expectationAndEarlyHintsAreRelayed() throws Exception {
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            seen.add(String.valueOf(connection.readHead()));
                            connection.send("HTTP/1.1 100 Continue\r\n\r\n");
                            seen.add(new String(connection.read(2), StandardCharsets.US_ASCII));
                            connection.send("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK);
                        });
                Client client = connect(backend)) {
            client.send(
                    "POST / HTTP/1.1\r\n"
                            + HOST
                            + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            client.send("hi");
            assertThat(client.readHead()).isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(next()).contains("Expect: 100-continue\r\n");
            assertThat(next()).isEqualTo("hi");
        }
    }

    @Test
    void webSocketIsATunnel() throws Exception {
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            seen.add(String.valueOf(connection.readHead()));
                            connection.send(
                                    crlf(
                                            """
                                            HTTP/1.1 101 Switching Protocols
                                            Connection: Upgrade
                                            Upgrade: websocket
                                            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=

                                            server first\
                                            """));
                            for (int b = connection.read(); b >= 0; b = connection.read()) {
                                connection.send(new byte[] {(byte) (b + 1)});
                            }
                        });
                Client client = connect(backend)) {
            client.send(
                    "GET / HTTP/1.1\r\n"
                            + HOST
                            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 Switching Protocols\r\n")
                    .contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
            assertThat(client.read(12)).isEqualTo("server first");
            client.send("abc");
            assertThat(client.read(3)).isEqualTo("bcd");
            assertThat(next()).contains("upgrade: websocket\r\n");
        }
    }

    /** The answer must not be lost to a reset, though the client is still sending. */
    @Test
    void earlyAnswerToALargeBodyIsReceivedWhole() throws Exception {
        String answer = "x".repeat(20_000);
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    "HTTP/1.1 413 Too Large\r\nContent-Length: 20000\r\n\r\n"
                                            + answer);
                        });
                Client client = connect(backend)) {
            client.send("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 100000000\r\n\r\n");
            Thread writer =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    for (int i = 0; i < 1_000; i++) {
                                        client.send("y".repeat(10_000));
                                    }
                                } catch (IOException closed) {
                                    seen.add("closed");
                                }
                            });
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 413 ")
                    .contains("connection: close\r\n");
            assertThat(client.read(20_000)).isEqualTo(answer);
            writer.join();
        }
    }

    @Test
    void refusalsAreReceivedThoughMoreWasSent() throws Exception {
        try (RawBackend backend = RawBackend.answering(OK);
                Client client = connect(backend)) {
            client.send("GET / HTTP/1.1\nHost: a\n\n" + "y".repeat(100_000));
            assertThat(client.readHead()).startsWith("HTTP/1.1 400 Bad Request\r\n");
            assertThat(client.readToEnd()).contains("could not be understood");
        }
    }

    @Test
    void slowReaderStopsTheBackend() throws Exception {
        var sent = new AtomicLong();
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n");
                            byte[] piece = new byte[100_000];
                            for (int i = 0; i < 2_000; i++) {
                                connection.send(piece);
                                sent.addAndGet(piece.length);
                            }
                        });
                Client client = connect(backend)) {
            client.send("GET / HTTP/1.1\r\n" + HOST + "\r\n");
            client.readHead();
            var last = new AtomicLong(-1);
            await().pollInterval(Duration.ofMillis(300))
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> last.getAndSet(sent.get()) == sent.get());
            // What the kernel's four socket buffers take, and a window of ours.
            assertThat(sent.get()).isLessThan(40_000_000);
            assertThat(client.skip(200_000_000)).isEqualTo(200_000_000);
        }
    }

    @Test
    void brokenAnswerIsNotTakenForAWhole() throws Exception {
        try (RawBackend backend =
                        RawBackend.start(connection -> {
                            connection.readHead();
                            connection.send(
                                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
                        });
                Client client = connect(backend)) {
            client.send("GET / HTTP/1.1\r\n" + HOST + "\r\n");
            client.readHead();
            assertThat(client.readToEnd()).doesNotContain("\r\n0\r\n");
        }
    }

    @Test
    void deadBackendIsABadGateway() throws Exception {
        RawBackend backend = RawBackend.answering(OK);
        try (Client client = connect(backend)) {
            backend.close();
            client.send("GET / HTTP/1.1\r\n" + HOST + "\r\n");
            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
        }
    }

    private static String crlf(String lines) {
        return lines.replace("\n", "\r\n");
    }

    private String next() throws InterruptedException {
        return String.valueOf(seen.poll(5, TimeUnit.SECONDS));
    }

    private Client connect(RawBackend backend) throws IOException {
        ProxySettings settings = ProxySettings.DEFAULT;
        var upstreams =
                new UpstreamRegistry(
                        settings,
                        NioSocketChannel::new,
                        DefaultNameResolver::new,
                        new AddressGuard(true),
                        new ProxyMetrics());
        GatewaySnapshot routes = Http1Client.snapshot(Http1Client.forward("/"), Optional.empty());
        var snapshot =
                new GatewaySnapshot(
                        1,
                        List.of(),
                        routes.routes(),
                        routes.certificates(),
                        ShardedMap.copyOf(
                                Map.of(
                                        Http1Client.SHOP,
                                        new Upstream(
                                                Http1Client.SHOP,
                                                List.of(
                                                        new Endpoint(
                                                                "127.0.0.1", backend.port()))))));
        upstreams.reconcile(snapshot.upstreams());
        Deadlines deadlines = new Deadlines(ProxyIT::fail);
        var exchanges =
                new ProxyExchanges(
                        settings,
                        () -> snapshot,
                        upstreams,
                        Admission.OPEN,
                        ExchangeObserver.NONE,
                        deadlines,
                        InstantSource.fixed(java.time.Instant.EPOCH),
                        ThreadLocalRandom::current);
        var serving = new HttpServing(settings, exchanges, deadlines);
        Listener listener = new Listener("http", "127.0.0.1", 0, new ListenerProtocol.Http());
        Channel server =
                new ServerBootstrap()
                        .group(loops)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        Http1Connection.install(
                                                channel.pipeline(),
                                                new ClientConnection(
                                                        listener,
                                                        (InetSocketAddress) channel.remoteAddress(),
                                                        (InetSocketAddress) channel.localAddress(),
                                                        "http/1.1",
                                                        null),
                                                serving);
                                    }
                                })
                        .bind(InetAddress.getLoopbackAddress(), 0)
                        .syncUninterruptibly()
                        .channel();
        return new Client(((InetSocketAddress) server.localAddress()).getPort());
    }

    /** A socket. */
    private static void fail(Throwable bug) {
        throw new AssertionError(bug);
    }

    private static final class Client implements AutoCloseable {
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;

        Client(int port) throws IOException {
            socket = new Socket();
            socket.setReceiveBufferSize(64 * 1024);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout(10_000);
            in = socket.getInputStream();
            out = socket.getOutputStream();
        }

        void send(String bytes) throws IOException {
            out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        }

        String readHead() throws IOException {
            var head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                int b = in.read();
                if (b < 0) {
                    break;
                }
                head.write(b);
            }
            return head.toString(StandardCharsets.ISO_8859_1);
        }

        String read(int bytes) throws IOException {
            return new String(in.readNBytes(bytes), StandardCharsets.ISO_8859_1);
        }

        long skip(long bytes) throws IOException {
            byte[] piece = new byte[100_000];
            long left = bytes;
            while (left > 0) {
                int size = in.read(piece, 0, (int) Math.min(left, piece.length));
                if (size < 0) {
                    break;
                }
                left -= size;
            }
            return bytes - left;
        }

        /** Up to the end, also where that is a reset. */
        String readToEnd() throws IOException {
            var rest = new ByteArrayOutputStream();
            try {
                for (int b = in.read(); b >= 0; b = in.read()) {
                    rest.write(b);
                }
            } catch (SocketException reset) {
                rest.write('!');
            }
            return rest.toString(StandardCharsets.ISO_8859_1);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
