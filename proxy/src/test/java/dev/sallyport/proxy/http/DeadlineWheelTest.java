package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DeadlineWheelTest {
    private final MockTicker ticker = Ticker.newMockTicker();
    private final EmbeddedChannel channel = EmbeddedChannel.builder().ticker(ticker).build();
    private final List<Throwable> bugs = new ArrayList<>();
    private final DeadlineWheel wheel = new Deadlines(bugs::add).of(channel.eventLoop());
    private long millis;

    private final class Watch extends DeadlineWheel.Deadline {
        private long due;
        private final List<Long> passed = new ArrayList<>();
        private long again;
        private @Nullable Error bug;
        private boolean gaveUp;

        void in(long delay) {
            due = millis + delay;
            wheel.set(this, Duration.ofMillis(delay));
        }

        @Override
        protected void onDeadline() {
            passed.add(millis);
            if (again > 0) {
                in(again);
            }
            if (bug != null) {
                throw bug;
            }
        }

        @Override
        protected void giveUp() {
            gaveUp = true;
            if (bug != null) {
                throw bug;
            }
        }
    }

    @Test
    void deadlinesPassSoonAfterTheirTimeAndNeverBefore() {
        SplittableRandom random = new SplittableRandom(5);
        List<Watch> watches = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            Watch watch = new Watch();
            watch.in(1 + random.nextLong(300_000));
            watches.add(watch);
            pass(random.nextLong(50));
        }
        pass(400_000);
        for (Watch watch : watches) {
            assertThat(watch.passed).hasSize(1);
            assertThat(watch.passed.getFirst()).isBetween(watch.due, watch.due + 250);
        }
    }

    @Test
    void movedDeadlinesPassAtTheNewTime() {
        Watch later = new Watch();
        Watch sooner = new Watch();
        later.in(1_000);
        sooner.in(100_000);
        pass(500);
        later.in(100_000);
        sooner.in(1_000);
        pass(2_000);
        assertThat(later.passed).isEmpty();
        assertThat(sooner.passed).hasSize(1);
        pass(100_000);
        assertThat(later.passed).hasSize(1);
    }

    @Test
    void takenBackDeadlinesDoNotPass() {
        Watch cleared = new Watch();
        Watch suspended = new Watch();
        cleared.in(1_000);
        suspended.in(1_000);
        wheel.clear(cleared);
        wheel.suspend(suspended);
        pass(10_000);
        assertThat(cleared.passed).isEmpty();
        assertThat(suspended.passed).isEmpty();
    }

    @Test
    void deadlinesMaySetThemselvesAgain() {
        Watch watch = new Watch();
        watch.again = 1_000;
        watch.in(1_000);
        pass(10_500);
        assertThat(watch.passed).hasSizeBetween(8, 10);
    }

    @Test
    void pausesOfTheLoopAreCaughtUpWith() {
        Watch watch = new Watch();
        Watch far = new Watch();
        watch.again = 1_000;
        watch.in(1_000);
        far.in(1_000_000);
        millis += 500_000;
        ticker.advanceMillis(500_000); // in one go
        channel.runScheduledPendingTasks();
        assertThat(watch.passed).hasSize(1);
        pass(510_000);
        assertThat(far.passed).hasSize(1);
    }

    @Test
    void aDeadlineThatThrowsCostsNoneOfTheOthers() {
        Watch broken = new Watch();
        broken.bug = new OutOfMemoryError("test");
        broken.in(1_000);
        Watch same = new Watch();
        same.in(1_000);
        pass(2_000);
        Watch later = new Watch();
        later.in(1_000);
        pass(2_000);
        assertThat(same.passed).hasSize(1);
        assertThat(later.passed).hasSize(1);
    }

    @Test
    void whatADeadlineThrowsIsToldAndWhatItWasSetForIsGivenUp() {
        Watch broken = new Watch();
        broken.bug = new OutOfMemoryError("test");
        broken.in(1_000);
        pass(2_000);
        assertThat(broken.gaveUp).isTrue();
        assertThat(bugs).containsExactly(broken.bug, broken.bug); // it even fails to give up
    }

    @Test
    void zeroMeansNever() {
        Watch watch = new Watch();
        watch.in(1_000);
        wheel.set(watch, Duration.ZERO);
        pass(10_000);
        assertThat(watch.passed).isEmpty();
    }

    @Test
    void timerRestsWhileThereIsNothingToWaitFor() {
        Watch watch = new Watch();
        watch.in(1_000);
        pass(3_000);
        assertThat(channel.runScheduledPendingTasks()).isEqualTo(-1);
    }

    private void pass(long time) {
        for (long left = time; left > 0; ) {
            long step = Math.min(left, 1); // the loop is never late
            millis += step;
            ticker.advanceMillis(step);
            channel.runScheduledPendingTasks();
            left -= step;
        }
    }
}
