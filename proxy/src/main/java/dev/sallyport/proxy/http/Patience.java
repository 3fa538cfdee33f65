package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings.Timeouts;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What an exchange waits for, since when, and whose fault it is when it has waited for too long:
 * the deadlines of one exchange, with one place on the wheel for all of them. The exchange itself
 * is that place, so that patience costs no object.
 *
 * <p>Either side is waited for only while the other has taken what it was sent: who cannot go on is
 * not to blame. Confined to the event loop of the exchange.
 */
abstract sealed class Patience extends DeadlineWheel.Deadline permits Exchange {
    private static final long NEVER = Long.MAX_VALUE;

    /** Bytes from the client that the backend has not taken, so that the client has no credit. */
    int owedToClient;

    /** Bytes from the backend that the client has not taken. */
    int owedToBackend;

    /**
     * Whether the client owes nothing more. One that asks for a WebSocket does not, until it has
     * one: then either side may say something at any time.
     */
    boolean requestEnded;

    boolean responseStarted;
    boolean tunnel;

    private final DeadlineWheel wheel;
    private final Timeouts timeouts;
    private final long opened; // nanoseconds of the wheel, as all that follows
    private long clientActive;
    private long backendActive;

    Patience(DeadlineWheel wheel, Timeouts timeouts, boolean requestEnded) {
        this.wheel = wheel;
        this.timeouts = timeouts;
        this.requestEnded = requestEnded;
        this.opened = wheel.now();
        this.clientActive = opened;
        this.backendActive = opened;
    }

    /** Whether there is a connection to a backend; what is before has deadlines of its own. */
    abstract boolean isConnected();

    abstract void onLate(ProxyError why);

    final void clientMoved() {
        clientActive = wheel.now();
    }

    final void backendMoved() {
        backendActive = wheel.now();
    }

    final void bothMoved() {
        clientMoved();
        backendMoved();
    }

    /** From now on; again where something is awaited that was not before. */
    final void watch() {
        wheel.set(this, untilNextLook());
    }

    /** It is over. */
    final void rest() {
        wheel.clear(this);
    }

    @Override
    protected final void onDeadline() {
        ProxyError late = late();
        if (late != null) {
            onLate(late);
        } else {
            wheel.set(this, Math.max(untilNextLook(), DeadlineWheel.TICK.toNanos()));
        }
    }

    private @Nullable ProxyError late() {
        long now = wheel.now();
        if (tunnel) {
            return now >= idleSince(timeouts.tunnelIdle(), lastActive())
                    ? ProxyError.REQUEST_TIMEOUT
                    : null;
        }
        if (now >= idleSince(timeouts.request(), opened)) {
            return ProxyError.REQUEST_TIMEOUT;
        }
        // Once the backend answers, a client may rightly listen before it goes on.
        long clientIdle = responseStarted ? lastActive() : clientActive;
        if (awaitsClient() && now >= idleSince(timeouts.bodyIdle(), clientIdle)) {
            return ProxyError.BODY_TIMEOUT;
        }
        if (awaitsBackend() && now >= idleSince(timeouts.upstreamResponse(), backendActive)) {
            return responseStarted ? ProxyError.RESPONSE_TRUNCATED : ProxyError.RESPONSE_TIMEOUT;
        }
        return null;
    }

    /**
     * In nanoseconds: when something may be late, at the soonest. A side that is not waited for now
     * may be from now on.
     */
    private long untilNextLook() {
        long now = wheel.now();
        long next;
        if (tunnel) {
            next = idleSince(timeouts.tunnelIdle(), lastActive());
        } else {
            long client = awaitsClient() ? clientActive : now;
            long backend = awaitsBackend() ? backendActive : now;
            next = idleSince(timeouts.request(), opened);
            next = Math.min(next, idleSince(timeouts.bodyIdle(), client));
            next = Math.min(next, idleSince(timeouts.upstreamResponse(), backend));
        }
        return next == NEVER ? 0 : Math.max(1, next - now);
    }

    private long lastActive() {
        return Math.max(clientActive, backendActive);
    }

    private boolean awaitsClient() {
        return !requestEnded && owedToClient == 0;
    }

    private boolean awaitsBackend() {
        boolean owesAnswer = requestEnded && owedToBackend == 0;
        boolean owesReading = owedToClient > 0;
        return isConnected() && (owesAnswer || owesReading);
    }

    private static long idleSince(Duration limit, long since) {
        return limit.isZero() ? NEVER : since + limit.toNanos();
    }
}
