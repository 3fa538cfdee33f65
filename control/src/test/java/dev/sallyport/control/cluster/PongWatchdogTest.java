package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PongWatchdogTest {
    private static final WatchedPath PATH = new WatchedPath("/api/v1/services", "");

    private static final Duration SILENCE = Duration.ofMillis(200);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final AtomicLong now = new AtomicLong();
    private final Contacts contacts = new Contacts(now::get);
    private final Heard listener = new Heard();
    private final Socket socket = new Socket();
    private final PongWatchdog watchdog =
            new PongWatchdog(
                    listener,
                    PATH,
                    contacts,
                    timer,
                    now::get,
                    new PongWatchdog.Limits(Duration.ofMillis(10), SILENCE));

    PongWatchdogTest() {
        contacts.expect(PATH);
    }

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    @Test
    void whereNoPongComesTheConnectionIsGivenUpOnce() {
        watchdog.onOpen(socket);
        await().until(() -> socket.pings.get() > 2);
        pass(SILENCE.plusMillis(1));
        await().until(() ->
                listener.said.contains("error: java.io.IOException: no pong within 200 ms"));
        assertThat(socket.aborted).isTrue();
        assertThat(contacts.of(PATH).watching()).isFalse();
        assertThat(contacts.of(PATH).trouble()).isPresent();
        watchdog.onError(socket, new IllegalStateException("late"));
        watchdog.onClose(socket, 1000, "late");
        assertThat(listener.said).hasSize(2);
    }

    @Test
    void pongsKeepItAlive() {
        watchdog.onOpen(socket);
        for (int i = 0; i < 5; i++) {
            pass(SILENCE);
            int before = socket.pings.get();
            await().until(() -> socket.pings.get() > before);
            watchdog.onPong(socket, ByteBuffer.allocate(0));
        }
        assertThat(socket.aborted).isFalse();
        assertThat(contacts.of(PATH).watching()).isTrue();
        assertThat(listener.said).as("asks for the next frame").contains("pong");
    }

    @Test
    void everythingIsPassedOn() {
        watchdog.onOpen(socket);
        watchdog.onText(socket, "text", true);
        watchdog.onBinary(socket, ByteBuffer.allocate(0), true);
        watchdog.onPing(socket, ByteBuffer.allocate(0));
        watchdog.onClose(socket, 1000, "");
        assertThat(listener.said).containsExactly("open", "text", "binary", "ping", "close");
        assertThat(contacts.of(PATH).watching()).isFalse();
        assertThat(contacts.of(PATH).trouble()).as("closed in good order").isEmpty();
    }

    @Test
    void aCloseThatNobodyAnswersIsGivenUpToo() {
        socket.outputClosed = true; // before a ping may be due
        watchdog.onOpen(socket);
        pass(SILENCE.plusMillis(1));
        await().until(() -> listener.said.size() == 2);
        assertThat(socket.aborted).isTrue();
        assertThat(socket.pings.get()).isZero();
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    private static final class Heard implements WebSocket.Listener {
        private final List<String> said = new CopyOnWriteArrayList<>();

        private @Nullable CompletionStage<?> say(String what) {
            said.add(what);
            return null;
        }

        @Override
        public void onOpen(WebSocket socket) {
            say("open");
        }

        @Override
        public @Nullable CompletionStage<?> onText(
                WebSocket socket, CharSequence data, boolean last) {
            return say("text");
        }

        @Override
        public @Nullable CompletionStage<?> onBinary(
                WebSocket socket, ByteBuffer data, boolean last) {
            return say("binary");
        }

        @Override
        public @Nullable CompletionStage<?> onPing(WebSocket socket, ByteBuffer message) {
            return say("ping");
        }

        @Override
        public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
            return say("pong");
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            return say("close");
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            say("error: " + error);
        }
    }

    private static final class Socket implements WebSocket {
        private final AtomicInteger pings = new AtomicInteger();
        private volatile boolean outputClosed;
        private volatile boolean aborted;

        @Override
        public CompletableFuture<WebSocket> sendPing(ByteBuffer message) {
            pings.incrementAndGet();
            return CompletableFuture.completedFuture(this);
        }

        @Override
        public boolean isOutputClosed() {
            return outputClosed;
        }

        @Override
        public void abort() {
            aborted = true;
        }

        @Override
        public CompletableFuture<WebSocket> sendText(CharSequence data, boolean last) {
            throw new AssertionError();
        }

        @Override
        public CompletableFuture<WebSocket> sendBinary(ByteBuffer data, boolean last) {
            throw new AssertionError();
        }

        @Override
        public CompletableFuture<WebSocket> sendPong(ByteBuffer message) {
            throw new AssertionError();
        }

        @Override
        public CompletableFuture<WebSocket> sendClose(int code, String reason) {
            throw new AssertionError();
        }

        @Override
        public void request(long more) {}

        @Override
        public String getSubprotocol() {
            return "";
        }

        @Override
        public boolean isInputClosed() {
            return false;
        }
    }
}
