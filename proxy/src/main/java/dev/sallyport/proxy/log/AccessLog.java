package dev.sallyport.proxy.log;

import dev.sallyport.proxy.ProxySettings.AccessLogSettings;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ExchangeObserver;
import dev.sallyport.proxy.http.ExchangeSummary;
import dev.sallyport.proxy.metric.ProxyMetrics;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.MpscArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line for each exchange. Event loops hand over references and go on; the thread {@code
 * access-log} makes text of them and writes. What does not fit into the queue, and what cannot be
 * written, is dropped and counted: a full disk must not stop traffic.
 *
 * <p>Concurrency: {@link #ended} from any event loop; {@link #close} once, when no exchange is
 * left. The writer looks ten times a second, and is woken before that only when the queue fills up:
 * a wake-up for each line would cost more than the line.
 */
public final class AccessLog implements ExchangeObserver, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AccessLog.class);
    private static final int BATCH_BYTES = 64 * 1024;
    private static final long PARK = Duration.ofMillis(100).toNanos();
    private static final Duration LAST_WRITES = Duration.ofSeconds(5);

    private final MpscArrayQueue<Entry> queue;
    private final LineFormat format;
    private final LogOutput output;
    private final ProxyMetrics metrics;
    private final Thread writer;
    private final int wakeAt;
    private volatile boolean parked;
    private volatile boolean closed;
    private boolean failing; // of the writer

    private AccessLog(int capacity, LineFormat format, LogOutput output, ProxyMetrics metrics) {
        this.queue = new MpscArrayQueue<>(Math.max(4, capacity));
        this.wakeAt = queue.capacity() / 2;
        this.format = format;
        this.output = output;
        this.metrics = metrics;
        this.writer = Thread.ofPlatform().name("access-log").daemon().unstarted(this::run);
    }

    /** The log that {@code settings} describe, writing from now on; null where it is off. */
    public static @Nullable AccessLog start(AccessLogSettings settings, ProxyMetrics metrics) {
        return switch (settings.format()) {
            case OFF -> null;
            case JSON -> start(settings, LineFormat.json(), metrics);
            case COMMON -> start(settings, LineFormat.common(), metrics);
        };
    }

    private static AccessLog start(
            AccessLogSettings settings, LineFormat format, ProxyMetrics metrics) {
        return start(settings.queue(), format, LogOutput.of(settings.output()), metrics);
    }

    static AccessLog start(int queue, LineFormat format, LogOutput output, ProxyMetrics metrics) {
        var log = new AccessLog(queue, format, output, metrics);
        log.writer.start();
        return log;
    }

    @Override
    public void began(ClientConnection connection) {}

    @Override
    public void ended(ExchangeSummary summary) {
        if (closed || !queue.offer(Entry.of(summary))) {
            metrics.accessLogDropped();
        } else if (parked && queue.size() > wakeAt) {
            LockSupport.unpark(writer);
        }
    }

    /** Writes what is queued, for some seconds at most, and ends the writer. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(writer);
        try {
            if (!writer.join(LAST_WRITES)) {
                LOG.atWarn()
                        .addKeyValue("lines", queue.size())
                        .log("access log cannot be written in time, lines are lost");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        var batch = new LineBuffer(BATCH_BYTES + BATCH_BYTES / 4);
        while (true) {
            boolean last = closed; // before the queue is emptied: nothing is added after
            int lines = fill(batch);
            if (lines > 0) {
                write(batch, lines);
            } else if (last) {
                break;
            } else {
                park();
            }
        }
        try {
            output.close();
        } catch (IOException failed) {
            LOG.atWarn().setCause(failed).log("access log not closed");
        }
    }

    private int fill(LineBuffer batch) {
        int lines = 0;
        while (batch.size() < BATCH_BYTES) {
            Entry entry = queue.poll();
            if (entry == null) {
                break;
            }
            format.write(entry, batch);
            lines++;
        }
        return lines;
    }

    private void write(LineBuffer batch, int lines) {
        try {
            output.write(batch.bytes(), batch.size());
            metrics.accessLogWritten(lines);
            if (failing) {
                failing = false;
                LOG.atInfo().log("access log is written again");
            }
        } catch (IOException failed) {
            for (int i = 0; i < lines; i++) {
                metrics.accessLogDropped();
            }
            if (!failing) {
                failing = true;
                LOG.atWarn().setCause(failed).log("access log cannot be written");
            }
        }
        batch.clear();
    }

    private void park() {
        parked = true;
        if (!closed) {
            LockSupport.parkNanos(this, PARK);
        }
        parked = false;
    }
}
