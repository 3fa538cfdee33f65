package dev.sallyport.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What an HTTP/1.1 connection sends: gathered within one turn of the event loop and flushed once,
 * and watched, so that a client that does not read is not waited for. Confined to the connection's
 * event loop.
 */
final class Http1Output extends DeadlineWheel.Deadline {
    /** Pieces up to this size are copied together: one buffer, one TLS record, one write. */
    private static final int COPIED = 4 * 1024;

    private static final int GATHERED = 16 * 1024;

    /** Progress below this, or below that part of what waits, in one look is none. Bytes. */
    private static final int CRAWL = 1024;

    private static final int CRAWL_PART = 64;

    /** Looks in one timeout. */
    private static final int LOOKS = 2;

    private final Channel channel;
    private final DeadlineWheel wheel;
    private final Duration patience;
    private final Runnable stalled;
    private final Runnable flushTask = this::flush;

    private @Nullable ByteBuf gathered; // of this turn, not written yet
    private boolean reading; // between channelRead and channelReadComplete
    private boolean unflushed;
    private boolean flushScheduled;
    private boolean last; // nothing is written after what waits now

    // The watch.
    private long written;
    private long sentAtLook;
    private int looksWithoutProgress;

    /**
     * Nothing to send yet.
     *
     * @param patience how long nothing may be read by the client while there is much that it has
     *     not read; zero for ever
     * @param stalled called then
     */
    Http1Output(Channel channel, DeadlineWheel wheel, Duration patience, Runnable stalled) {
        this.channel = channel;
        this.wheel = wheel;
        this.patience = patience.dividedBy(LOOKS);
        this.stalled = stalled;
    }

    /** The buffer to write small things to. */
    ByteBuf gather() {
        ByteBuf buffer = gathered;
        if (buffer == null) {
            buffer = channel.alloc().ioBuffer(2048);
            gathered = buffer;
        }
        scheduleFlush();
        return buffer;
    }

    /** Takes ownership. */
    void write(ByteBuf data) {
        int size = data.readableBytes();
        if (size <= COPIED) {
            ByteBuf buffer;
            try {
                buffer = gather();
                buffer.writeBytes(data);
            } finally {
                data.release();
            }
            if (buffer.readableBytes() > GATHERED) {
                writeGathered();
            }
        } else {
            writeGathered();
            writeOut(data);
        }
    }

    void beginReading() {
        reading = true;
    }

    void endReading() {
        reading = false;
        flush();
    }

    void flush() {
        flushScheduled = false;
        writeGathered();
        if (unflushed) {
            unflushed = false;
            channel.flush();
        }
    }

    /** Flushes what will be the last, and watches it whatever little it is. */
    void flushLast() {
        last = true;
        flush();
        watch();
    }

    /** Everything was sent. */
    void sent() {
        wheel.clear(this);
    }

    /** Forgets what was not written yet. */
    void discard() {
        wheel.clear(this);
        ByteBuf unsent = gathered;
        if (unsent != null) {
            gathered = null;
            unsent.release();
        }
    }

    void onWritabilityChanged() {
        if (!channel.isWritable()) {
            watch();
        } else if (!last) {
            wheel.suspend(this);
        }
    }

    private void writeGathered() {
        ByteBuf buffer = gathered;
        if (buffer != null) {
            gathered = null;
            writeOut(buffer);
        }
    }

    private void writeOut(ByteBuf data) {
        unflushed = true;
        written += data.readableBytes();
        var _ = channel.write(data, channel.voidPromise());
        scheduleFlush();
    }

    private void scheduleFlush() {
        if (!reading && !flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(flushTask);
        }
    }

    private void watch() {
        looksWithoutProgress = 0;
        sentAtLook = written - unsentBytes();
        wheel.set(this, patience);
    }

    @Override
    protected void onDeadline() {
        long unsent = unsentBytes();
        if (channel.isWritable() && !(last && unsent > 0)) {
            return;
        }
        long sent = written - unsent; // but for what TLS adds
        boolean crawls = sent - sentAtLook < Math.max(CRAWL, unsent / CRAWL_PART);
        looksWithoutProgress = crawls ? looksWithoutProgress + 1 : 0;
        if (looksWithoutProgress >= LOOKS) {
            stalled.run();
        } else {
            sentAtLook = sent;
            wheel.set(this, patience);
        }
    }

    @Override
    protected void giveUp() {
        stalled.run();
    }

    private long unsentBytes() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes() - buffer.currentProgress();
    }
}
