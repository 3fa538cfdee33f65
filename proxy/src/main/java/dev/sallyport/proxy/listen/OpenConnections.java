package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.http.DrainSignal;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The client connections that are open. Safe from any thread. */
public final class OpenConnections {
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
    private volatile @Nullable DrainSignal told;

    /** How many there are. */
    public int size() {
        return channels.size();
    }

    /**
     * Tells all to end in good order, also those that are still to come; one whose handshake is in
     * progress is told once it is through.
     */
    public void tell(DrainSignal signal) {
        told = signal;
        onTheirLoops(channel -> channel.pipeline().fireUserEventTriggered(signal));
    }

    /** What was told last; null before anything was. */
    @Nullable DrainSignal told() {
        return told;
    }

    /** Waits until none is left, at most so long; returns whether none is left. */
    public boolean awaitNone(Duration atMost, Ticker ticker) throws InterruptedException {
        long deadline = ticker.nanoTime() + atMost.toNanos();
        synchronized (channels) {
            while (!channels.isEmpty()) {
                long left = deadline - ticker.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(channels, left);
            }
        }
        return true;
    }

    /** Closes all that are left. */
    public void closeAll() {
        onTheirLoops(channel -> {
            var _ = channel.close();
        });
    }

    /** A connection that was just accepted; it need not be registered with its loop yet. */
    void add(Channel channel) {
        channels.add(channel);
        channel.closeFuture().addListener(_ -> remove(channel));
    }

    private void remove(Channel channel) {
        channels.remove(channel);
        if (channels.isEmpty()) {
            synchronized (channels) {
                channels.notifyAll();
            }
        }
    }

    /** One task for each loop, not one for each connection. */
    private void onTheirLoops(java.util.function.Consumer<Channel> action) {
        Map<EventLoop, List<Channel>> byLoop = new HashMap<>();
        for (Channel channel : channels) {
            if (!channel.isRegistered()) {
                continue; // looks at what was told when it is
            }
            byLoop.computeIfAbsent(channel.eventLoop(), _ -> new ArrayList<>()).add(channel);
        }
        byLoop.forEach((loop, own) -> loop.execute(() -> own.forEach(action)));
    }
}
