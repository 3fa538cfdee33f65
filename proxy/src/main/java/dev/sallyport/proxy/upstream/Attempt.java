package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The wish for a connection, from {@link Upstreams#open} until the listener was told. Confined to
 * its loop; running it cancels it.
 */
final class Attempt implements Runnable {
    private final LoopPools loop;
    private final @Nullable Endpoint avoid;
    private final UpstreamCall.Listener listener;
    private boolean over;
    private @Nullable Balancer line;
    private @Nullable Future<?> patience;

    Attempt(LoopPools loop, @Nullable Endpoint avoid, UpstreamCall.Listener listener) {
        this.loop = loop;
        this.avoid = avoid;
        this.listener = listener;
    }

    @Nullable Endpoint avoid() {
        return avoid;
    }

    /** Whether a reused connection will not do: this is a retry. */
    boolean fresh() {
        return avoid != null;
    }

    /** Cancelled, failed or served. */
    boolean over() {
        return over;
    }

    /** Stands in line from now on; not for ever. */
    void waits(Balancer balancer) {
        line = balancer;
        long nanos = loop.connectTimeout();
        if (nanos > 0) {
            patience = loop.eventLoop().schedule(this::losePatience, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Left the line. */
    void served() {
        line = null;
        if (patience != null) {
            patience.cancel(false);
            patience = null;
        }
    }

    /** The connection is there. */
    void connected(UpstreamCall call) {
        over = true;
        listener.onConnected(call);
    }

    /** There will be no connection. */
    void fail(ProxyError why, @Nullable Endpoint endpoint) {
        if (over) {
            return;
        }
        over = true;
        // Trying again at once would only add to an overload, and finds no endpoint either.
        boolean retriable =
                switch (why) {
                    case CONNECT_FAILED, CONNECT_TIMEOUT -> true;
                    default -> false;
                };
        listener.onFailure(why, retriable, endpoint);
    }

    UpstreamCall.Listener listener() {
        return listener;
    }

    private void losePatience() {
        Balancer balancer = line;
        if (balancer != null) {
            balancer.leave(this);
            served();
            fail(ProxyError.OVERLOADED, null);
        }
    }

    @Override
    public void run() {
        if (over) {
            return;
        }
        over = true;
        Balancer balancer = line;
        if (balancer != null) {
            balancer.leave(this);
            served();
        }
    }
}
