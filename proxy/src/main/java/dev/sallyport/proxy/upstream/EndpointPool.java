package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One event loop's connections to one endpoint. Confined to the loop, but for {@link #wake}.
 *
 * <p>The last connection that came back is the first that goes out: those beyond the need grow old
 * together and are closed.
 */
final class EndpointPool {
    private final LoopPools loop;
    private final Endpoint endpoint;
    private final EndpointPermits permits;
    private final Deque<UpstreamConnection> idle = new ArrayDeque<>();
    private final List<Balancer> users = new ArrayList<>(1);
    private int active; // calls and connection attempts: what balancing looks at
    private int firstUser; // whose turn it is, where several upstreams share the endpoint
    private boolean queued; // in the permits' queue

    EndpointPool(LoopPools loop, Endpoint endpoint, EndpointPermits permits) {
        this.loop = loop;
        this.endpoint = endpoint;
        this.permits = permits;
    }

    LoopPools loop() {
        return loop;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    EndpointPermits permits() {
        return permits;
    }

    int active() {
        return active;
    }

    int idle() {
        return idle.size();
    }

    void began() {
        active++;
    }

    void ended() {
        active--;
    }

    void addUser(Balancer balancer) {
        users.add(balancer);
    }

    /** No longer an endpoint of {@code balancer}; nobody's any more: what is idle is closed. */
    void removeUser(Balancer balancer) {
        users.remove(balancer);
        if (users.isEmpty()) {
            closeIdle();
            loop.forgetIfUnused(this);
        }
    }

    boolean unused() {
        return users.isEmpty() && active == 0 && idle.isEmpty();
    }

    /** Whether a call can begin at once. */
    boolean available() {
        return !idle.isEmpty() || permits.available();
    }

    /** The connection that came back last, or null. */
    @Nullable UpstreamConnection takeIdle() {
        UpstreamConnection connection = idle.pollLast();
        if (connection != null) {
            loop.metrics().upstreamIdle(-1);
        }
        return connection;
    }

    /**
     * Takes a permit for a new connection; an idle one is given up for it where there is no other
     * way.
     */
    boolean tryAcquire(boolean woken) {
        if (permits.tryAcquire(woken)) {
            return true;
        }
        UpstreamConnection oldest = idle.pollFirst();
        if (oldest == null) {
            return false;
        }
        loop.metrics().upstreamIdle(-1);
        oldest.surrenderPermit();
        return true;
    }

    /** A connection whose messages were framed to their end: who waits gets it, else it is kept. */
    void offer(UpstreamConnection connection) {
        if (users.isEmpty() || loop.closed()) {
            connection.discard();
            return;
        }
        if (serveFirst(connection)) {
            return;
        }
        // Another loop waits: what nobody needs here is of more use as a permit there.
        if (permits.contended() || idle.size() >= loop.limits().upstreamIdle()) {
            connection.discard();
            return;
        }
        idle.addLast(connection);
        loop.metrics().upstreamIdle(1);
    }

    /** An idle connection was closed by the backend, or sent what nobody asked for. */
    void lost(UpstreamConnection connection) {
        if (idle.removeLastOccurrence(connection)) {
            loop.metrics().upstreamIdle(-1);
        }
    }

    /** A connection is gone. */
    void released() {
        permits.release();
        loop.forgetIfUnused(this);
    }

    /** Closes what was idle since before {@code deadline} (nanoseconds of the loop's ticker). */
    void expire(long deadline) {
        for (UpstreamConnection oldest = idle.peekFirst();
                oldest != null && oldest.idleSince() - deadline < 0;
                oldest = idle.peekFirst()) {
            idle.pollFirst();
            loop.metrics().upstreamIdle(-1);
            oldest.close();
        }
    }

    void closeIdle() {
        for (UpstreamConnection connection = idle.pollFirst();
                connection != null;
                connection = idle.pollFirst()) {
            loop.metrics().upstreamIdle(-1);
            connection.close();
        }
    }

    /** Asks to be woken when a permit is free. */
    void queue() {
        if (!queued) {
            queued = true;
            permits.enqueue(this);
        }
    }

    /** Nobody of one upstream waits any more; perhaps of another. */
    void leaveQueue() {
        // Not in the queue though queued: it was woken just now, and will see for itself.
        if (queued && !anybodyWaits() && permits.dequeue(this)) {
            queued = false;
        }
    }

    /** Another loop waits for a connection to this endpoint: one that is idle here is given up. */
    void shedOne() {
        UpstreamConnection oldest = idle.pollFirst();
        if (oldest != null) {
            loop.metrics().upstreamIdle(-1);
            oldest.close();
        }
    }

    /** A permit may be free. Any thread. */
    void wake() {
        try {
            loop.eventLoop().execute(this::awake);
        } catch (RejectedExecutionException _) {
            // The loop is shut down: nobody waits here any more.
            permits.passOn();
        }
    }

    private void awake() {
        queued = false;
        boolean inVain = true;
        while (connectForFirst()) {
            inVain = false;
        }
        if (!anybodyWaits()) {
            permits.passOn();
            return;
        }
        queue();
        if (inVain) {
            // While it was on its way another loop may have pooled a connection, seeing nobody
            // wait.
            loop.registry().shed(this);
        }
    }

    private boolean anybodyWaits() {
        for (Balancer user : users) {
            if (user.anybodyWaits()) {
                return true;
            }
        }
        return false;
    }

    /** Spends one permit on the first in line. */
    private boolean connectForFirst() {
        Balancer user = nextUser();
        if (user == null || !permits.tryAcquire(true)) {
            return false;
        }
        user.connectFirst(this);
        return true;
    }

    private boolean serveFirst(UpstreamConnection connection) {
        Balancer user = nextUser();
        if (user == null || connection.tooManyInARow()) {
            return false;
        }
        user.serveFirst(this, connection);
        return true;
    }

    private @Nullable Balancer nextUser() {
        for (int i = 0; i < users.size(); i++) {
            Balancer user = users.get((firstUser + i) % users.size());
            if (user.anybodyWaits()) {
                firstUser = (firstUser + i + 1) % users.size();
                return user;
            }
        }
        return null;
    }
}
