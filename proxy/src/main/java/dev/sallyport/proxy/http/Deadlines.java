package dev.sallyport.proxy.http;

import io.netty.channel.EventLoop;
import java.util.concurrent.ConcurrentHashMap;

/** The deadline wheels, one for each event loop. Safe from any thread. */
public final class Deadlines {
    private final ConcurrentHashMap<EventLoop, DeadlineWheel> wheels = new ConcurrentHashMap<>();

    /** The wheel of {@code loop}, which only that loop may use. */
    public DeadlineWheel of(EventLoop loop) {
        DeadlineWheel wheel = wheels.get(loop);
        return wheel != null ? wheel : wheels.computeIfAbsent(loop, DeadlineWheel::new);
    }
}
