package dev.sallyport.proxy.http;

import dev.sallyport.model.route.Route;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.UpstreamKey;
import org.jspecify.annotations.Nullable;

/** What is to be said of a request that a codec refused. */
record RefusedRequest(
        ClientConnection connection,
        long startedAtMillis,
        String method,
        String authority,
        String target,
        ProxyError error,
        String requestId)
        implements ExchangeSummary {

    @Override
    public long totalNanos() {
        return 0;
    }

    @Override
    public long connectNanos() {
        return -1;
    }

    @Override
    public long firstByteNanos() {
        return -1;
    }

    @Override
    public int status() {
        return error.status();
    }

    @Override
    public long bytesIn() {
        return 0;
    }

    @Override
    public long bytesOut() {
        return 0;
    }

    @Override
    public @Nullable String userAgent() {
        return null;
    }

    @Override
    public @Nullable String referer() {
        return null;
    }

    @Override
    public @Nullable Route route() {
        return null;
    }

    @Override
    public @Nullable UpstreamKey upstream() {
        return null;
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return null;
    }

    @Override
    public int attempts() {
        return 0;
    }

    @Override
    public boolean webSocket() {
        return false;
    }
}
