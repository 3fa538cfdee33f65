package dev.sallyport.proxy.http;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The deadlines of one event loop, on a coarse wheel with one timer for all of them: setting,
 * moving and clearing one costs a few field writes and no clock reading, which is what makes it
 * affordable for every request. A deadline passes up to two {@linkplain #TICK ticks} late; early
 * only by what the loop itself was late when it was set.
 *
 * <p>Confined to its event loop. The timer runs only while there are deadlines. A deadline that
 * throws costs what it was set for, and none of the others.
 */
public final class DeadlineWheel {
    /** The grain of time. */
    public static final Duration TICK = Duration.ofMillis(100);

    private static final int SLOTS = 1024; // a power of two; about 100 s before a second look
    private static final long TICK_NANOS = TICK.toNanos();

    private final EventLoop loop;
    private final Consumer<? super Throwable> bugs;
    private final @Nullable Deadline[] slots = new @Nullable Deadline[SLOTS];
    private final long origin;
    private final Runnable onTick = this::onTick;
    private long tick; // the present one
    private long cursor; // the one whose slot was looked at last; behind only after a pause
    private int linked;
    private boolean ticking;

    DeadlineWheel(EventLoop loop, Consumer<? super Throwable> bugs) {
        this.loop = loop;
        this.bugs = bugs;
        this.origin = loop.ticker().nanoTime();
    }

    /**
     * Something that must have happened until a time. Extend it to avoid an object for each; it is
     * set on one wheel only. Moving it to a later time is cheapest.
     */
    public abstract static class Deadline {
        private static final int UNLINKED = -1;

        private long due; // a tick; meaningless while cleared
        private boolean set;
        private int slot = UNLINKED;
        private long slotTick; // when its slot is looked at
        private @Nullable Deadline next;
        private @Nullable Deadline previous;

        /** The time has come. The deadline is cleared and may be set again. */
        protected abstract void onDeadline();

        /**
         * {@link #onDeadline} threw, for a bug or for want of memory: closes what the deadline was
         * set for. Nothing else would ever end it.
         */
        protected abstract void giveUp();
    }

    /**
     * Sets {@code deadline}, or moves it, to {@code delay} from now.
     *
     * @param delay zero means never
     */
    public void set(Deadline deadline, Duration delay) {
        set(deadline, delay.toNanos());
    }

    /** As {@link #set(Deadline, Duration)}, in nanoseconds. */
    public void set(Deadline deadline, long delay) {
        if (delay == 0) {
            clear(deadline);
            return;
        }
        if (!ticking) {
            startTicking();
        }
        // The present tick has begun already, hence one more.
        deadline.due = tick + 1 + (delay + TICK_NANOS - 1) / TICK_NANOS;
        deadline.set = true;
        if (deadline.slot != Deadline.UNLINKED) {
            if (deadline.slotTick <= deadline.due) {
                return; // looked at in time, and moved on then
            }
            unlink(deadline);
        }
        link(deadline);
    }

    /** Takes {@code deadline} back, and forgets the object. */
    public void clear(Deadline deadline) {
        deadline.set = false;
        if (deadline.slot != Deadline.UNLINKED) {
            unlink(deadline);
        }
    }

    /** Takes {@code deadline} back where it is likely to be set again soon: cheaper still. */
    public void suspend(Deadline deadline) {
        deadline.set = false;
    }

    /**
     * The time of the last tick in nanoseconds, with a meaning only beside others of this wheel.
     */
    public long now() {
        if (!ticking) {
            tick = currentTick();
        }
        return tick * TICK_NANOS;
    }

    private void startTicking() {
        ticking = true;
        tick = currentTick();
        cursor = tick;
        schedule();
    }

    /** At the beginning of the next tick, so that {@link #tick} is behind for moments only. */
    private void schedule() {
        long passed = (loop.ticker().nanoTime() - origin) % TICK_NANOS;
        var _ = loop.schedule(onTick, TICK_NANOS - passed, TimeUnit.NANOSECONDS);
    }

    private long currentTick() {
        return (loop.ticker().nanoTime() - origin) / TICK_NANOS;
    }

    private void onTick() {
        long now = currentTick();
        // After a long pause each slot is looked at once.
        long from = Math.max(tick + 1, now - SLOTS + 1);
        tick = now;
        try {
            for (long each = from; each <= now; each++) {
                cursor = each;
                look((int) (each & (SLOTS - 1)), now);
            }
        } finally {
            if (linked > 0) {
                schedule();
            } else {
                ticking = false;
            }
        }
    }

    private void look(int slot, long now) {
        Deadline deadline = slots[slot];
        while (deadline != null) {
            unlink(deadline);
            if (deadline.set) {
                if (deadline.due <= now) {
                    deadline.set = false;
                    pass(deadline);
                } else {
                    link(deadline); // never into this slot: less than a turn ahead
                }
            }
            deadline = slots[slot];
        }
    }

    /** Catches errors too: memory that runs out for one connection is no reason to stop time. */
    private void pass(Deadline deadline) {
        try {
            deadline.onDeadline();
        } catch (Throwable bug) {
            bugs.accept(bug);
            try {
                deadline.giveUp();
            } catch (Throwable again) {
                bugs.accept(again);
            }
        }
    }

    private void link(Deadline deadline) {
        long slotTick = Math.min(Math.max(deadline.due, cursor + 1), cursor + SLOTS - 1);
        int slot = (int) (slotTick & (SLOTS - 1));
        Deadline first = slots[slot];
        deadline.slot = slot;
        deadline.slotTick = slotTick;
        deadline.previous = null;
        deadline.next = first;
        if (first != null) {
            first.previous = deadline;
        }
        slots[slot] = deadline;
        linked++;
    }

    private void unlink(Deadline deadline) {
        Deadline next = deadline.next;
        Deadline previous = deadline.previous;
        if (next != null) {
            next.previous = previous;
        }
        if (previous != null) {
            previous.next = next;
        } else {
            slots[deadline.slot] = next;
        }
        deadline.next = null;
        deadline.previous = null;
        deadline.slot = Deadline.UNLINKED;
        linked--;
    }
}
