package dev.sallyport.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.internal.tcnative.SSL;
import io.netty.util.ReferenceCountUtil;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * A closed-loop client that makes one TLS 1.3 connection per request: connect, handshake, one GET
 * with {@code Connection: close}, read the answer to its end. One event loop.
 *
 * <p>Reads runs from standard input and prints a JSON object for each, so that it stays warm from
 * run to run:
 *
 * <pre>PORT HOST PATH SECONDS CONNECTIONS full|resumed GROUP</pre>
 */
public final class HandshakeLoad {
    private static final int MAX_SAMPLES = 1 << 20;

    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

    private HandshakeLoad() {}

    /** See the class comment. */
    public static void main(String[] args) throws Exception {
        var load = new HandshakeLoad();
        var lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(load.run(Plan.parse(line)));
            }
        } finally {
            load.loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    private String run(Plan plan) throws InterruptedException, SSLException {
        SslContext tls = tls(plan);
        try {
            Run run = new Run(plan, tls, new CountDownLatch(plan.connections()));
            for (int i = 0; i < plan.connections(); i++) {
                loops.next().execute(run::connect);
            }
            run.done.await();
            return run.json();
        } finally {
            ReferenceCountUtil.release(tls);
        }
    }

    private static SslContext tls(Plan plan) throws SSLException {
        SslContext tls =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL_REFCNT)
                        .protocols("TLSv1.3")
                        .option(OpenSslContextOption.GROUPS, new String[] {plan.group()})
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .endpointIdentificationAlgorithm("")
                        .build();
        ((OpenSslSessionContext) tls.sessionContext()).setSessionCacheEnabled(plan.resumed());
        return tls;
    }

    /** One run. */
    private record Plan(
            int port,
            String host,
            String path,
            double seconds,
            int connections,
            boolean resumed,
            String group) {

        static Plan parse(String line) {
            List<String> words = List.of(line.strip().split(" ", -1));
            return new Plan(
                    Integer.parseInt(words.get(0)),
                    words.get(1),
                    words.get(2),
                    Double.parseDouble(words.get(3)),
                    Integer.parseInt(words.get(4)),
                    words.get(5).equals("resumed"),
                    words.get(6));
        }
    }

    /** The state of one run; confined to the event loop until it is done. */
    private final class Run {
        private final Plan plan;
        private final SslContext tls;
        private final CountDownLatch done;
        private final Bootstrap bootstrap;
        private final byte[] request;
        private final long begin = System.nanoTime();
        private final long end;
        private final int[] micros = new int[MAX_SAMPLES];
        private int completed;
        private int resumed;
        private int failed;
        private @Nullable String failure;

        Run(Plan plan, SslContext tls, CountDownLatch done) {
            this.plan = plan;
            this.tls = tls;
            this.done = done;
            end = begin + (long) (plan.seconds() * 1e9);
            request =
                    ("GET "
                                    + plan.path()
                                    + " HTTP/1.1\r\nHost: "
                                    + plan.host()
                                    + "\r\nUser-Agent: handshakes\r\nConnection: close\r\n\r\n")
                            .getBytes(US_ASCII);
            bootstrap =
                    new Bootstrap()
                            .group(loops)
                            .channel(EpollSocketChannel.class)
                            .option(ChannelOption.TCP_NODELAY, true)
                            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5_000)
                            .remoteAddress(InetAddress.getLoopbackAddress(), plan.port())
                            .handler(
                                    new ChannelInitializer<Channel>() {
                                        @Override
                                        protected void initChannel(Channel channel) {
                                            channel.pipeline()
                                                    .addLast(
                                                            handler(channel),
                                                            new OneRequest(Run.this));
                                        }
                                    });
        }

        private SslHandler handler(Channel channel) {
            // A peer's name makes Netty look for a session of it; without one each is full.
            if (plan.resumed()) {
                return tls.newHandler(channel.alloc(), plan.host(), plan.port());
            }
            SslHandler handler = tls.newHandler(channel.alloc());
            SSLParameters parameters = handler.engine().getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(plan.host())));
            handler.engine().setSSLParameters(parameters);
            return handler;
        }

        void connect() {
            if (System.nanoTime() >= end || completed == MAX_SAMPLES || failed > 1_000) {
                done.countDown();
                return;
            }
            var connecting = bootstrap.connect();
            connecting.addListener(_ -> {
                if (!connecting.isSuccess()) {
                    failed(String.valueOf(connecting.cause()));
                    connect();
                }
            });
        }

        void completed(long nanos, boolean reused) {
            micros[completed++] = (int) (nanos / 1_000);
            if (reused) {
                resumed++;
            }
        }

        void failed(String why) {
            failed++;
            if (failure == null) {
                failure = why;
            }
        }

        String json() {
            double seconds = (System.nanoTime() - begin) / 1e9;
            int[] sorted = Arrays.copyOf(micros, completed);
            Arrays.sort(sorted);
            return String.format(
                    Locale.ROOT,
                    "{\"seconds\": %.3f, \"requests\": %d, \"resumed\": %d, \"errors\": %d,"
                            + " \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"error\": \"%s\"}",
                    seconds,
                    completed,
                    resumed,
                    failed,
                    quantile(sorted, 0.50),
                    quantile(sorted, 0.99),
                    failure == null ? "" : failure.replaceAll("[\\\\\"\\p{Cntrl}]", " "));
        }

        private static double quantile(int[] sorted, double q) {
            return sorted.length == 0 ? 0 : sorted[(int) (q * (sorted.length - 1))] / 1e3;
        }
    }

    /** One connection, from its start to the end of the answer. */
    private static final class OneRequest extends SimpleChannelInboundHandler<ByteBuf> {
        private static final Pattern CONTENT_LENGTH =
                Pattern.compile(
                        "^content-length: *(\\d+)\\r?$",
                        Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);

        private final Run run;
        private final long begin = System.nanoTime();
        private boolean reused;
        private final StringBuilder response = new StringBuilder();
        private boolean answered;
        private String why = "closed before an answer";

        OneRequest(Run run) {
            this.run = run;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    var engine =
                            (ReferenceCountedOpenSslEngine)
                                    ctx.pipeline().get(SslHandler.class).engine();
                    reused = SSL.isSessionReused(engine.sslPointer());
                    var _ = ctx.writeAndFlush(Unpooled.wrappedBuffer(run.request));
                } else {
                    why = String.valueOf(handshake.cause());
                }
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf data) {
            response.append(data.toString(US_ASCII));
            if (complete()) {
                answered = true;
                var _ = ctx.close(); // not every server closes at once, whatever it was asked for
            }
        }

        private boolean complete() {
            int end = response.indexOf("\r\n\r\n");
            if (end < 0) {
                return false;
            }
            Matcher length = CONTENT_LENGTH.matcher(response.substring(0, end));
            return length.find()
                    && response.length() - end - 4 >= Integer.parseInt(length.group(1));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (answered) {
                run.completed(System.nanoTime() - begin, reused);
            } else {
                run.failed(why);
            }
            run.connect();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            why = String.valueOf(cause);
            var _ = ctx.close();
        }
    }
}
