package dev.sallyport.control.cluster;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends the reading of a response whose bytes have stopped coming: the client's deadline is for the
 * head only, and a list that never ends would be waited for for ever.
 */
final class StallGuard<T> implements HttpResponse.BodySubscriber<T> {
    /* Concurrency: the connection calls one method at a time, the timer another; they share `heard`
     * (volatile) and `over`. */
    private final HttpResponse.BodySubscriber<T> body;
    private final Duration silence;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile long heard;
    private volatile @Nullable ScheduledFuture<?> looks;

    /** Wraps the reading of one body. */
    StallGuard(
            HttpResponse.BodySubscriber<T> body,
            Duration silence,
            ScheduledExecutorService timer,
            LongSupplier nanoTime) {
        this.body = body;
        this.silence = silence;
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.heard = nanoTime.getAsLong();
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        long third = silence.toNanos() / 3;
        looks =
                timer.scheduleAtFixedRate(
                        () -> look(subscription), third, third, TimeUnit.NANOSECONDS);
        body.onSubscribe(subscription);
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        heard = nanoTime.getAsLong();
        if (!over.get()) {
            body.onNext(bytes);
        }
    }

    @Override
    public void onError(Throwable failure) {
        if (end()) {
            body.onError(failure);
        }
    }

    @Override
    public void onComplete() {
        if (end()) {
            body.onComplete();
        }
    }

    @Override
    public CompletionStage<T> getBody() {
        return body.getBody();
    }

    private void look(Flow.Subscription subscription) {
        if (nanoTime.getAsLong() - heard > silence.toNanos() && end()) {
            body.onError(new IOException("no byte within " + silence.toMillis() + " ms: given up"));
            subscription.cancel(); // and with it the connection
        }
    }

    private boolean end() {
        boolean first = over.compareAndSet(false, true);
        ScheduledFuture<?> timed = looks;
        if (first && timed != null) {
            timed.cancel(false);
        }
        return first;
    }
}
