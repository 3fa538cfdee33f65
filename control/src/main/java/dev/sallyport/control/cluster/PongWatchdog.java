package dev.sallyport.control.cluster;

import java.io.IOException;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends a watch whose connection is dead without having been closed. The client sends pings and
 * waits for no pong, and the JDK switches no keep-alive on: without this a watch would stay silent
 * for ten minutes before anybody noticed.
 */
final class PongWatchdog implements WebSocket.Listener {
    /*
     * Concurrency: the WebSocket calls one method at a time, the timer another; they share
     * `heard` (volatile) and `over`.
     */
    private final WebSocket.Listener listener;
    private final WatchedPath path;
    private final Contacts contacts;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final Limits limits;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile long heard;
    private volatile Contacts.@Nullable Session session;
    private volatile @Nullable ScheduledFuture<?> pings;

    /**
     * @param interval between two pings
     * @param silence after which a connection is dead; longer than the interval
     */
    record Limits(Duration interval, Duration silence) {
        /** Dead after 9 s: two pings may be lost. */
        static final Limits DEFAULT = new Limits(Duration.ofSeconds(3), Duration.ofSeconds(9));
    }

    PongWatchdog(
            WebSocket.Listener listener,
            WatchedPath path,
            Contacts contacts,
            ScheduledExecutorService timer,
            LongSupplier nanoTime,
            Limits limits) {
        this.listener = listener;
        this.path = path;
        this.contacts = contacts;
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.limits = limits;
    }

    @Override
    public void onOpen(WebSocket socket) {
        heard = nanoTime.getAsLong();
        session = contacts.opened(path);
        long nanos = limits.interval().toNanos();
        pings = timer.scheduleAtFixedRate(() -> look(socket), nanos, nanos, TimeUnit.NANOSECONDS);
        listener.onOpen(socket);
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
        hear();
        return listener.onText(socket, data, last);
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
        hear();
        return listener.onBinary(socket, data, last);
    }

    @Override
    public @Nullable CompletionStage<?> onPing(WebSocket socket, ByteBuffer message) {
        hear();
        return listener.onPing(socket, message);
    }

    @Override
    public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
        hear();
        return listener.onPong(socket, message); // asks for the next frame
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        return end(null) ? listener.onClose(socket, code, reason) : null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        if (end(error.toString())) {
            listener.onError(socket, error);
        }
    }

    private void hear() {
        heard = nanoTime.getAsLong();
        Contacts.Session known = session;
        if (known != null) {
            known.heard();
        }
    }

    /** A connection that we closed is waited for as well: the next watch waits for its end. */
    private void look(WebSocket socket) {
        if (nanoTime.getAsLong() - heard > limits.silence().toNanos()) {
            String why = "no pong within " + limits.silence().toMillis() + " ms";
            if (end(why)) {
                socket.abort();
                listener.onError(socket, new IOException(why));
            }
        } else if (!socket.isOutputClosed()) {
            var _ = socket.sendPing(ByteBuffer.allocate(0));
        }
    }

    /** Whether this is the first end that was noticed; {@code why} where it is not a good one. */
    private boolean end(@Nullable String why) {
        boolean first = over.compareAndSet(false, true);
        ScheduledFuture<?> timed = pings;
        Contacts.Session known = session;
        if (first && timed != null) {
            timed.cancel(false);
        }
        if (first && known != null) {
            if (why == null) {
                known.closed();
            } else {
                known.failed(why);
            }
        }
        return first;
    }
}
