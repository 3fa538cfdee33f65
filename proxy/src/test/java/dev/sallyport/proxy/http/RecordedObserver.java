package dev.sallyport.proxy.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was observed, copied. */
final class RecordedObserver implements ExchangeObserver {
    final List<Ended> ended = new ArrayList<>();
    int began;

    record Ended(
            String method,
            String authority,
            String target,
            int status,
            @Nullable ProxyError error,
            long bytesIn,
            long bytesOut,
            String requestId,
            int attempts,
            boolean webSocket,
            @Nullable String userAgent,
            long totalNanos) {}

    @Override
    public void began(ClientConnection connection) {
        began++;
    }

    @Override
    public void ended(ExchangeSummary summary) {
        ended.add(
                new Ended(
                        summary.method(),
                        summary.authority(),
                        summary.target(),
                        summary.status(),
                        summary.error(),
                        summary.bytesIn(),
                        summary.bytesOut(),
                        summary.requestId(),
                        summary.attempts(),
                        summary.webSocket(),
                        summary.userAgent(),
                        summary.totalNanos()));
    }

    Ended last() {
        return ended.getLast();
    }
}
