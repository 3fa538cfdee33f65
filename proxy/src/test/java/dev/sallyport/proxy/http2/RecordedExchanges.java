package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.Exchanges;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.Refusal;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Leaves all exchanges to the test; answers refused requests with their status. */
final class RecordedExchanges implements Exchanges {
    private final BlockingQueue<RecordedExchange> opened = new LinkedBlockingQueue<>();
    private final BlockingQueue<ProxyError> refused = new LinkedBlockingQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final boolean consumes;

    RecordedExchanges() {
        this(true);
    }

    /**
     * Exchanges as they would be with a backend that takes everything at once, or nothing at all.
     */
    RecordedExchanges(boolean consumes) {
        this.consumes = consumes;
    }

    /** The next exchange. */
    RecordedExchange take() {
        return poll(opened);
    }

    /** Why the next refused request was refused. */
    ProxyError takeRefused() {
        return poll(refused);
    }

    /** How many exchanges began. */
    int count() {
        return count.get();
    }

    @Override
    public ExchangeInput open(ClientStream stream, RequestHead head) {
        count.incrementAndGet();
        RecordedExchange exchange = new RecordedExchange(stream, head, consumes);
        opened.add(exchange);
        return exchange;
    }

    @Override
    public void refuse(ClientStream stream, Refusal refusal) {
        refused.add(refusal.why());
        stream.sendHead(refusal.why().status(), new DefaultHttpHeaders(), 0, true);
    }

    private static <T> T poll(BlockingQueue<T> queue) {
        try {
            T next = queue.poll(10, TimeUnit.SECONDS);
            assertThat(next).as("the next one").isNotNull();
            return next;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
