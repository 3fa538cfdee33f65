package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/** Hands out connections to backends. */
@FunctionalInterface
public interface Upstreams {

    /**
     * Chooses an endpoint and gets a connection to it, from the pool of {@code loop} or a new one.
     * Tells {@code listener}, perhaps before this returns: {@link
     * UpstreamCall.Listener#onConnected} or {@link UpstreamCall.Listener#onFailure}.
     *
     * @param upstream its endpoints are not empty
     * @param loop the exchange's event loop, which is the caller's thread
     * @param avoid an endpoint that just failed: another is preferred; null for the first attempt.
     *     A retry never gets a reused connection
     * @return cancels the wait for a connection; no effect once the listener was told
     */
    Runnable open(
            Upstream upstream,
            EventLoop loop,
            @Nullable Endpoint avoid,
            UpstreamCall.Listener listener);
}
