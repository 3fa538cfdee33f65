package dev.sallyport.proxy.metric;

import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ExchangeObserver;
import dev.sallyport.proxy.http.ExchangeSummary;
import dev.sallyport.proxy.http.ProxyError;

/** Counts exchanges. */
public record ExchangeCounters(ProxyMetrics metrics) implements ExchangeObserver {

    @Override
    public void began(ClientConnection connection) {
        metrics.requestStarted();
    }

    @Override
    public void ended(ExchangeSummary summary) {
        metrics.requestEnded(
                summary.connection().protocol(),
                summary.method(),
                summary.status(),
                summary.totalNanos(),
                summary.bytesIn(),
                summary.bytesOut());
        ProxyError error = summary.error();
        if (error != null) {
            metrics.requestFailed(error);
        }
        long firstByte = summary.firstByteNanos();
        if (firstByte >= 0) {
            metrics.upstreamAnswered(firstByte);
        }
        UpstreamKey service = summary.upstream();
        if (service != null) {
            metrics.services().ended(service, summary.status(), error, firstByte);
        }
    }
}
