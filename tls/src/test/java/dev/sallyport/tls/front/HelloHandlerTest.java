package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.tls.certificate.TestCertificates;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.LeakPresenceDetector;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The first stage against fragmented, oversized, slow, malformed and foreign beginnings. */
class HelloHandlerTest {
    private static final ScheduledExecutorService TIMER =
            Executors.newSingleThreadScheduledExecutor();
    private static final int MOST = 4096;
    private static final byte SERVER_HELLO = 22;
    private static final TlsFront FRONT =
            new TlsFront(10, () -> TestCertificates.NOW, new byte[32], TIMER);
    private static final CertificateTable TABLE =
            TestPki.table().host("a.test", TestPki.set("a")).build();

    private final Outcomes outcomes = new Outcomes();
    private final TlsAcceptor acceptor =
            FRONT.acceptor(
                    TlsPolicy.DEFAULT,
                    () -> TABLE,
                    new HandshakeLimits(Duration.ofSeconds(10), MOST),
                    outcomes);
    private final EmbeddedChannel channel = new EmbeddedChannel(acceptor.newHandler());

    @AfterAll
    static void stop() {
        FRONT.close();
        TIMER.shutdown();
        assertThat(FRONT.credentialsFreed()).isEqualTo(FRONT.credentialsCreated());
        LeakPresenceDetector.check();
    }

    @AfterEach
    void finish() {
        channel.finishAndReleaseAll();
        acceptor.close();
    }

    private void send(byte[] bytes) {
        if (channel.isActive()) {
            channel.writeInbound(Unpooled.copiedBuffer(bytes));
        }
    }

    private byte[] answer() {
        channel.runPendingTasks();
        ByteBuf out = channel.readOutbound();
        if (out == null) {
            return new byte[0];
        }
        byte[] bytes = ByteBufUtil.getBytes(out);
        out.release();
        return bytes;
    }

    private void assertAlert(int alert, HandshakeFailure reason) {
        assertThat(answer()).containsExactly(21, 3, 3, 0, 2, 2, alert);
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(reason);
    }

    /** One that BoringSSL answers with a ServerHello, as the JDK's client sends it. */
    private static byte[] realMessage(String name) {
        return JdkHello.message(name);
    }

    @Test
    void aHelloInOneRecordIsHandedOn() {
        send(Hellos.record(realMessage("a.test")));
        assertThat(channel.pipeline().get(SslHandler.class)).isNotNull();
        assertThat(channel.pipeline().get(HelloHandler.class)).isNull();
        assertThat(answer()).startsWith(SERVER_HELLO);
    }

    @Test
    void aHelloByteByByteIsHandedOn() {
        for (byte[] one : Hellos.pieces(Hellos.record(realMessage("a.test")), 1)) {
            send(one);
        }
        assertThat(answer()).startsWith(SERVER_HELLO);
    }

    @Test
    void aHelloInTwoRecordsIsReadWithinTheSmallestLimit() {
        byte[] message = Hellos.hello().name("a.test").extension(21, new byte[850]).message();
        // Twice the first record is more than may be kept.
        ByteBuf in = Unpooled.wrappedBuffer(Hellos.records(message, 800));
        var assembler = new HelloAssembler(1024);
        assertThat(assembler.advance(in, UnpooledByteBufAllocator.DEFAULT))
                .isInstanceOf(HelloProgress.Complete.class);
        assembler.release();
    }

    @Test
    void aHelloInSmallRecordsIsHandedOn() {
        send(Hellos.records(realMessage("a.test"), 3));
        assertThat(answer()).startsWith(SERVER_HELLO);
    }

    @Test
    void smallRecordsByteByByteAreHandedOn() {
        for (byte[] one : Hellos.pieces(Hellos.records(realMessage("a.test"), 7), 1)) {
            send(one);
        }
        assertThat(answer()).startsWith(SERVER_HELLO);
    }

    @Test
    void anUnknownNameIsAnsweredSo() {
        send(Hellos.record(realMessage("b.test")));
        assertAlert(112, HandshakeFailure.NAME_UNKNOWN);
    }

    @Test
    void noNameIsUnknownWhereThereIsNoDefault() {
        send(Hellos.record(Hellos.hello().message()));
        assertAlert(112, HandshakeFailure.NAME_UNKNOWN);
    }

    @Test
    void protocolsInCommonAreRequired() {
        send(Hellos.record(Hellos.hello().name("a.test").protocols("smtp").message()));
        assertAlert(120, HandshakeFailure.NO_APPLICATION_PROTOCOL);
    }

    @Test
    void malformedHellosAreDecodeErrors() {
        byte[] body = Hellos.hello().name("a.test").body();
        send(Hellos.record(Hellos.message(java.util.Arrays.copyOf(body, body.length - 1))));
        assertAlert(50, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void emptyRecordsAreUnexpected() {
        send(Hellos.record(new byte[0]));
        assertAlert(10, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void otherHandshakeMessagesAreUnexpected() {
        send(Hellos.record(new byte[] {2, 0, 0, 4, 0, 0, 0, 0}));
        assertAlert(10, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void otherMessagesInSmallRecordsAreUnexpected() {
        send(Hellos.records(new byte[] {2, 0, 0, 4, 0, 0, 0, 0}, 1));
        assertAlert(10, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void alertsAreUnexpected() {
        send(new byte[] {21, 3, 1, 0, 2, 1, 0});
        assertAlert(10, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void recordsOver16KibOverflow() {
        send(new byte[] {22, 3, 1, 0x40, 1});
        assertAlert(22, HandshakeFailure.HELLO_MALFORMED);
    }

    @Test
    void hellosOverTheLimitAreRefusedWhenAnnounced() {
        send(new byte[] {22, 3, 1, 0, 100, 1, 1, 0, 0});
        assertAlert(47, HandshakeFailure.HELLO_TOO_LARGE);
    }

    @Test
    void recordsOverTheLimitAreRefused() {
        send(new byte[] {22, 3, 1, 0x3f, (byte) 0xff});
        assertAlert(47, HandshakeFailure.HELLO_TOO_LARGE);
    }

    @Test
    void manySmallRecordsOverTheLimitAreRefused() {
        send(Hellos.record(new byte[] {1, 0, 0x0f, 0}));
        for (int i = 0; i < MOST && channel.isActive(); i++) {
            send(Hellos.record(new byte[1]));
        }
        assertAlert(47, HandshakeFailure.HELLO_TOO_LARGE);
    }

    @Test
    void whatIsNotTlsIsClosedWithoutAWord() {
        send("\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII));
        assertThat(answer()).isEmpty();
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.NOT_TLS);
    }

    @Test
    void sslTwoIsNotTls() {
        send(new byte[] {(byte) 0x80, 0x2e, 1, 3, 1});
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.NOT_TLS);
    }

    @Test
    void aPlainRequestIsToldThatThisIsAnHttpsPort() {
        send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        String answer = new String(answer(), StandardCharsets.US_ASCII);
        int body = answer.indexOf("\r\n\r\n") + 4;
        assertThat(answer)
                .startsWith("HTTP/1.1 400 Bad Request\r\n")
                .contains("content-length: " + (answer.length() - body) + "\r\n")
                .contains("HTTPS");
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.PLAIN_HTTP);
    }

    @Test
    void halfAHelloIsClosedAtTheDeadline() {
        send(java.util.Arrays.copyOf(Hellos.record(realMessage("a.test")), 40));
        channel.freezeTime();
        channel.advanceTimeBy(9, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isActive()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.TIMEOUT);
    }

    @Test
    void theHelloIsPartOfTheHandshakesTime() {
        channel.freezeTime();
        channel.advanceTimeBy(8, TimeUnit.SECONDS);
        send(Hellos.record(realMessage("a.test")));
        assertThat(answer()).isNotEmpty();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isActive()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.TIMEOUT);
    }

    @Test
    void aConnectionThatIsClosedIsCountedOnce() {
        send(new byte[] {22});
        var _ = channel.close();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.CLOSED);
    }

    @Test
    void aClosedAcceptorRefuses() {
        acceptor.close();
        send(Hellos.record(realMessage("a.test")));
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.CLOSED);
    }

    @Test
    void nothingIsReadAfterARefusal() {
        send(Hellos.record(realMessage("b.test")));
        var _ = channel.writeOneInbound(Unpooled.copiedBuffer(new byte[100]));
        assertThat(outcomes.failures).hasSize(1);
    }

    @Test
    void memoryIsBoundedByTheLimit() {
        var allocator = new UnpooledByteBufAllocator(false, true);
        var victim = new EmbeddedChannel();
        victim.config().setAllocator(allocator);
        victim.pipeline().addLast(acceptor.newHandler());
        long most = 0;
        victim.writeInbound(Unpooled.copiedBuffer(Hellos.record(new byte[] {1, 0, 0x0f, 0})));
        for (int i = 0; i < MOST && victim.isActive(); i++) {
            victim.writeInbound(Unpooled.copiedBuffer(Hellos.record(new byte[1])));
            most =
                    Math.max(
                            most,
                            allocator.metric().usedHeapMemory()
                                    + allocator.metric().usedDirectMemory());
        }
        assertThat(most).isBetween(1L, 4L * MOST);
        victim.finishAndReleaseAll();
    }

    @Test
    void faultsOfOursReachWhoCountsThem() {
        channel.pipeline().fireExceptionCaught(new IllegalStateException("test"));
        assertThatThrownBy(channel::checkException).hasMessage("test");
        assertThat(channel.isActive()).isFalse();
        assertThat(outcomes.failures).containsExactly(HandshakeFailure.CREDENTIAL);
    }

    @Test
    void randomBeginningsAreRefusedOrWaitedFor() {
        Random random = new Random(7);
        byte[] seed = Hellos.records(realMessage("a.test"), 100);
        for (int round = 0; round < 1_000; round++) {
            byte[] bytes = seed.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                bytes[random.nextInt(60)] = (byte) random.nextInt(256);
            }
            var victim = new EmbeddedChannel(acceptor.newHandler());
            for (byte[] piece : Hellos.pieces(bytes, 1 + random.nextInt(200))) {
                if (victim.isActive()) {
                    victim.writeInbound(Unpooled.copiedBuffer(piece));
                }
            }
            victim.checkException();
            victim.finishAndReleaseAll();
        }
        assertThat(outcomes.failures).doesNotContain(HandshakeFailure.CREDENTIAL);
        assertThat(List.copyOf(outcomes.failures)).hasSize(1_000);
    }
}
