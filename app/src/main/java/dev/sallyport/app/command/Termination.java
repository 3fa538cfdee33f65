package dev.sallyport.app.command;

import dev.sallyport.app.telemetry.Logging;
import dev.sallyport.app.wire.Gateway;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Ends the process in good order when it is told to stop (SIGTERM, SIGINT): drains the gateway,
 * cleans up, and exits with 0, where the JVM's own answer to a signal would be 143 or 130.
 */
final class Termination {
    private final AtomicReference<@Nullable Gateway> gateway = new AtomicReference<>();
    private final Runnable cleanUp;
    private final Thread hook;

    /**
     * Waits for the signal from now on.
     *
     * @param cleanUp what to do after the drain
     */
    Termination(Runnable cleanUp) {
        this.cleanUp = cleanUp;
        hook = Thread.ofPlatform().name("shutdown").unstarted(this::end);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The gateway to drain, once it runs. */
    void drains(Gateway running) {
        gateway.set(running);
    }

    /** The process ends for a reason of its own: cleans up, and leaves the exit code alone. */
    void cancel() {
        try {
            if (Runtime.getRuntime().removeShutdownHook(hook)) {
                cleanUp.run();
            }
        } catch (IllegalStateException _) {
            // A signal came first; its thread ends the process.
        }
    }

    private void end() {
        try {
            Gateway running = gateway.get();
            if (running != null) {
                running.close();
            }
            cleanUp.run();
            Logging.flush();
        } finally {
            Runtime.getRuntime().halt(ExitCode.OK.number());
        }
    }
}
