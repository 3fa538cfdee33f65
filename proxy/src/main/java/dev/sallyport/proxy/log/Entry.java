package dev.sallyport.proxy.log;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ExchangeSummary;
import dev.sallyport.proxy.http.ProxyError;
import org.jspecify.annotations.Nullable;

/** What one line says: references only, taken on the event loop; the writer makes text of it. */
record Entry(
        ClientConnection connection,
        long startedAtMillis,
        long totalNanos,
        long connectNanos,
        long firstByteNanos,
        String method,
        String authority,
        String target,
        int status,
        @Nullable ProxyError error,
        long bytesIn,
        long bytesOut,
        String requestId,
        @Nullable String userAgent,
        @Nullable String referer,
        @Nullable ObjectRef route,
        @Nullable UpstreamKey upstream,
        @Nullable Endpoint endpoint,
        int attempts,
        boolean webSocket) {

    static Entry of(ExchangeSummary summary) {
        var route = summary.route();
        return new Entry(
                summary.connection(),
                summary.startedAtMillis(),
                summary.totalNanos(),
                summary.connectNanos(),
                summary.firstByteNanos(),
                summary.method(),
                summary.authority(),
                summary.target(),
                summary.status(),
                summary.error(),
                summary.bytesIn(),
                summary.bytesOut(),
                summary.requestId(),
                summary.userAgent(),
                summary.referer(),
                route == null ? null : route.origin(),
                summary.upstream(),
                summary.endpoint(),
                summary.attempts(),
                summary.webSocket());
    }
}
