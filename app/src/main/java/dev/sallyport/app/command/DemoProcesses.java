package dev.sallyport.app.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Processes that end with the demonstration. Safe from any thread. */
final class DemoProcesses implements AutoCloseable {
    private static final int STOP_SECONDS = 5;

    private final List<Process> started = new ArrayList<>(); // guarded by this
    private boolean closed; // guarded by this

    /**
     * Starts one.
     *
     * @throws IOException where that is impossible, or {@link #close} came first
     */
    synchronized Process start(ProcessBuilder builder) throws IOException {
        if (closed) {
            throw new IOException("told to stop");
        }
        Process process = builder.start();
        started.add(process);
        return process;
    }

    /** Ends what was started, the hard way where the soft one takes long. */
    @Override
    public synchronized void close() {
        closed = true;
        started.forEach(Process::destroy);
        try {
            for (Process process : started) {
                if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException hurried) {
            started.forEach(Process::destroyForcibly);
            Thread.currentThread().interrupt();
        }
    }
}
