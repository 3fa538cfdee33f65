package dev.sallyport.control.call;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Makes calls of the API server that end in time, whatever the network does. The client's own
 * timeout ends with the head of an answer; its body may still be stuck.
 *
 * <p>Safe from any thread; each call runs on a virtual thread of its own, which is interrupted when
 * its time is over.
 */
public final class BoundedCalls implements AutoCloseable {
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("api-call-", 0).factory());
    private final Duration longest;

    /**
     * @param longest that a call may take
     */
    public BoundedCalls(Duration longest) {
        this.longest = longest;
    }

    /**
     * What {@code call} returns.
     *
     * @throws NoAnswer where it did not end in time; whether it had an effect is not known
     * @throws InterruptedException where this thread was told to stop; the call is given up
     */
    public <T> T make(Callable<T> call) throws InterruptedException {
        Future<T> answer = threads.submit(call);
        try {
            return answer.get(longest.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException _) {
            throw new NoAnswer("no answer within " + longest.toMillis() + " ms");
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (failed.getCause() instanceof Error bug) {
                throw bug;
            }
            throw new NoAnswer(String.valueOf(failed.getCause()));
        } finally {
            answer.cancel(true);
        }
    }

    /** Gives up all calls. */
    @Override
    public void close() {
        threads.shutdownNow();
    }

    /** The API server did not answer; whether the call had an effect is not known. */
    public static final class NoAnswer extends RuntimeException {
        private static final long serialVersionUID = 1;

        NoAnswer(String message) {
            super(message);
        }
    }
}
