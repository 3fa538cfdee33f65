package dev.sallyport.acme.order;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Lets time pass. */
public interface Pause {

    /** Returns after a while. */
    void take(Duration duration) throws InterruptedException;

    /** By parking the thread, which is a virtual one. */
    Pause PARKED =
            duration -> {
                boolean _ = new Semaphore(0).tryAcquire(duration.toMillis(), TimeUnit.MILLISECONDS);
            };
}
