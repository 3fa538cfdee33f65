package dev.sallyport.control.reconcile;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads {@code parser}: as many as processors, gone when there is no work. */
public final class ParserThreads {
    private static final long KEPT_SECONDS = 1;

    private ParserThreads() {}

    /**
     * An executor that needs no closing. Its queue holds what one round of the reconciler, or one
     * reading of a folder, hands over.
     */
    public static Executor executor() {
        int threads = Runtime.getRuntime().availableProcessors();
        var executor =
                new ThreadPoolExecutor(
                        threads,
                        threads,
                        KEPT_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        Thread.ofPlatform().name("parser-", 0).daemon().factory());
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }
}
