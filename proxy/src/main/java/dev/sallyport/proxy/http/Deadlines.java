package dev.sallyport.proxy.http;

import io.netty.channel.EventLoop;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** The deadline wheels, one for each event loop. Safe from any thread. */
public final class Deadlines {
    private final ConcurrentHashMap<EventLoop, DeadlineWheel> wheels = new ConcurrentHashMap<>();

    private final Consumer<? super Throwable> bugs;

    /**
     * No wheel turns yet.
     *
     * @param bugs told of what a deadline throws, on its event loop
     */
    public Deadlines(Consumer<? super Throwable> bugs) {
        this.bugs = bugs;
    }

    /** The wheel of {@code loop}, which only that loop may use. */
    public DeadlineWheel of(EventLoop loop) {
        DeadlineWheel wheel = wheels.get(loop);
        return wheel != null
                ? wheel
                : wheels.computeIfAbsent(loop, key -> new DeadlineWheel(key, bugs));
    }
}
