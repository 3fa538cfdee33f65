package dev.sallyport.proxy.http;

import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.filter.RequestFields;
import dev.sallyport.proxy.filter.ResponseFields;
import dev.sallyport.proxy.upstream.Upstreams;
import java.time.InstantSource;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Opens exchanges: what all of them share. Safe from any thread. */
public final class ProxyExchanges implements Exchanges {
    final ProxySettings.Timeouts timeouts;
    final long requestBodyBytes;
    final Supplier<GatewaySnapshot> snapshots;
    final Upstreams upstreams;
    final Admission admission;
    final ExchangeObserver observer;
    final Deadlines deadlines;
    final InstantSource clock;
    final Supplier<? extends RandomGenerator> random;
    final RequestFields requestFields;
    final ResponseFields responseFields;
    final ErrorResponses errors;
    final HttpDate date;

    /**
     * Exchanges of one data plane.
     *
     * @param snapshots the snapshot in service: asked once per exchange
     * @param random the random numbers of the calling thread
     * @throws IllegalArgumentException where a trusted block of the settings is none
     */
    public ProxyExchanges(
            ProxySettings settings,
            Supplier<GatewaySnapshot> snapshots,
            Upstreams upstreams,
            Admission admission,
            ExchangeObserver observer,
            Deadlines deadlines,
            InstantSource clock,
            Supplier<? extends RandomGenerator> random) {
        this.timeouts = settings.timeouts();
        this.requestBodyBytes = settings.limits().requestBodyBytes();
        this.snapshots = snapshots;
        this.upstreams = upstreams;
        this.admission = admission;
        this.observer = observer;
        this.deadlines = deadlines;
        this.clock = clock;
        this.random = random;
        this.requestFields = new RequestFields(settings.forwarding());
        this.responseFields = new ResponseFields(settings.hsts());
        this.date = new HttpDate(clock);
        this.errors = new ErrorResponses(date, responseFields);
    }

    @Override
    public ExchangeInput open(ClientStream stream, RequestHead head) {
        Exchange exchange = new Exchange(this, stream, head);
        exchange.begin();
        return exchange;
    }

    @Override
    public void refuse(ClientStream stream, Refusal refusal) {
        String requestId = RequestId.random(random.get());
        observer.began(stream.connection());
        errors.sendError(stream, refusal.why(), requestId, refusal.accept());
        observer.ended(
                new RefusedRequest(
                        stream.connection(),
                        clock.millis(),
                        refusal.method(),
                        refusal.authority(),
                        refusal.target(),
                        refusal.why(),
                        requestId));
    }
}
