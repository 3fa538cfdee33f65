package dev.sallyport.proxy;

import dev.sallyport.proxy.http.Admission;
import dev.sallyport.proxy.http.ClientConnection;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.log.Seldom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway's own bounds: how many exchanges there may be at once, and how much of the memory for
 * buffers may be in use before new ones are turned away. Those that are under way go on: their end
 * is what gives memory back. Safe from any thread; asked for each request, so it only reads.
 */
final class Bounds implements Admission {
    /** Of the memory for buffers. The rest is for the exchanges that were let in. */
    private static final double ROOM = 0.85;

    private static final Logger LOG = LoggerFactory.getLogger(Bounds.class);

    private final long most;
    private final LongSupplier inFlight;
    private final long memory;
    private final LongSupplier memoryUsed;
    private final Seldom told;

    /**
     * @param most exchanges at once; 0 for no bound
     * @param inFlight the exchanges there are, with the one that asks
     * @param memory the bytes that buffers may take; 0 or less where that is not known
     * @param memoryUsed those they take
     * @param told when to say that requests are turned away
     */
    Bounds(long most, LongSupplier inFlight, long memory, LongSupplier memoryUsed, Seldom told) {
        this.most = most > 0 ? most : Long.MAX_VALUE;
        this.inFlight = inFlight;
        this.memory = memory > 0 ? (long) (memory * ROOM) : Long.MAX_VALUE;
        this.memoryUsed = memoryUsed;
        this.told = told;
    }

    @Override
    public @Nullable ProxyError refuse(ClientConnection connection) {
        long requests = inFlight.getAsLong();
        long bytes = memoryUsed.getAsLong();
        if (requests <= most && bytes <= memory) {
            return null;
        }
        if (told.isTime()) {
            LOG.atWarn()
                    .addKeyValue("requests", requests)
                    .addKeyValue("directMemoryBytes", bytes)
                    .log("at a bound of the gateway, turning requests away");
        }
        return ProxyError.OVERLOADED;
    }
}
