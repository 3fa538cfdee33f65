package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Cause;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Waits for the CA: asks as often as it likes to be asked, at a pace of ours where it does not say,
 * and not beyond the order's deadline.
 *
 * @param deadline of the order as a whole
 */
record Waiting(InstantSource clock, Pause pause, OrderTimes times, Instant deadline) {

    /** How long before the deadline the last question is asked, in the shortest pauses. */
    private static final int LAST_QUESTION = 4;

    /** Between questions, where the CA's wish does not fit into the order's time. */
    private static final Duration OWN_PACE = Duration.ofSeconds(15);

    /** Of the order's time, what a CA may be away once it was asked to go on: a minute of ten. */
    private static final int TROUBLE = 10;

    /** Of the order's time, after how much one that is away is asked again: five seconds. */
    private static final int AGAIN = 120;

    /** Asks the CA. */
    interface Question<T> {
        T ask() throws FailedException;
    }

    /**
     * Asks until the answer is one that was waited for. A CA that is away for a moment is waited
     * for, too.
     *
     * @param what is waited for, for people
     * @param fetch asks the CA, and says when it likes to be asked again
     * @param answer what it said
     */
    <T> T until(
            String what, Question<Optional<Instant>> fetch, Question<T> answer, Predicate<T> done)
            throws FailedException, InterruptedException {
        Instant heard = clock.instant();
        while (true) {
            Optional<Instant> again;
            try {
                T known = answer.ask();
                if (done.test(known)) {
                    return known;
                }
                again = fetch.ask();
                T current = answer.ask();
                if (done.test(current)) {
                    return current;
                }
                heard = clock.instant();
            } catch (FailedException failed) {
                if (!passes(failed, heard)) {
                    throw failed;
                }
                again = Optional.of(clock.instant().plus(times.total().dividedBy(AGAIN)));
            }
            pause(what, again);
        }
    }

    /** Who gives up while the CA looks takes away what it is to find, and that it counts. */
    private boolean passes(FailedException failed, Instant heard) {
        return !failed.isInterruption()
                && failed.why().pace() == Cause.Pace.TROUBLE
                && clock.instant().isBefore(heard.plus(times.total().dividedBy(TROUBLE)));
    }

    private void pause(String what, Optional<Instant> again)
            throws FailedException, InterruptedException {
        Instant now = clock.instant();
        // A last question comes shortly before the deadline.
        Duration left =
                Duration.between(now, deadline).minus(times.soonest().multipliedBy(LAST_QUESTION));
        if (!left.isPositive()) {
            throw new FailedException(new Cause.CaTrouble("waited in vain for " + what));
        }
        Duration wished = again.map(at -> Duration.between(now, at)).orElse(times.soonest());
        // ZeroSSL likes to be asked again in a day, and has issued within seconds.
        Duration held = wished.compareTo(left) > 0 ? OWN_PACE : wished;
        Duration paused = held.compareTo(times.soonest()) < 0 ? times.soonest() : held;
        pause.take(paused.compareTo(left) > 0 ? left : paused);
    }
}
