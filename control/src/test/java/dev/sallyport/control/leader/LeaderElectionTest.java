package dev.sallyport.control.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.call.BoundedCalls;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaderElectionTest {
    /** With a second for a thread that is slow to be scheduled. */
    private static final LeaseTimes TIMES =
            new LeaseTimes(
                    Duration.ofMillis(3_500),
                    Duration.ofMillis(2_200),
                    Duration.ofMillis(100),
                    Duration.ofMillis(1_000));

    private final SharedLease lease = new SharedLease();
    private final List<LeaderElection> elections = new ArrayList<>();

    @AfterEach
    void close() {
        elections.forEach(LeaderElection::close);
    }

    @Test
    void oneOfTwoLeadsAndTheOtherTakesOverWhenItIsClosed() {
        LeaderElection one = start("one", lease.new Access());
        await().until(one::leads);
        LeaderElection two = start("two", lease.new Access());
        one.close();
        assertThat(one.leads()).isFalse();
        assertThat(lease.current().orElseThrow().holder()).isNotEqualTo("one");
        await().until(two::leads);
    }

    @Test
    void eachKnowsWhoLeads() {
        var access = lease.new Access();
        LeaderElection one = start("one", access);
        await().until(() -> one.leader().equals(Optional.of("one")));
        LeaderElection two = start("two", lease.new Access());
        await().until(() -> two.leader().equals(Optional.of("one")));
        access.unreachable.set(true);
        await().until(() -> two.leader().equals(Optional.of("two")));
        assertThat(one.leader()).as("its own word counts no more").isEmpty();
    }

    @Test
    void whoLosesSightStopsByItselfAndIsFollowed() {
        var access = lease.new Access();
        LeaderElection one = start("one", access);
        await().until(one::leads);
        LeaderElection two = start("two", lease.new Access());
        access.unreachable.set(true);
        await().until(() -> {
            assertThat(one.leads() && two.leads()).isFalse();
            return two.leads();
        });
        access.unreachable.set(false);
        await().during(Duration.ofMillis(300)).until(() -> two.leads() && !one.leads());
    }

    @Test
    void whoeverAskedIsToldOfTheBeginningAndOfTheEnd() {
        var access = lease.new Access();
        var told = new CopyOnWriteArrayList<Boolean>();
        LeaderElection one = election("one", access);
        one.whenChanged(() -> told.add(one.leads()));
        one.start();
        await().until(() -> told.equals(List.of(true)));
        access.unreachable.set(true);
        await().until(() -> told.equals(List.of(true, false)));
    }

    @Test
    void closingDoesNotWaitForAnApiServerThatIsSilent() {
        var access = lease.new Access();
        var silence = new CountDownLatch(1);
        LeaderElection one = start("one", access);
        await().until(one::leads);
        access.beforeWrites =
                () -> {
                    try {
                        silence.await();
                    } catch (InterruptedException _) {
                        throw new IllegalStateException("interrupted");
                    }
                };
        long began = System.nanoTime();
        one.close();
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
        await().until(() -> !one.leads());
    }

    @Test
    void timesThatWouldAllowTwoLeadersAreRefused() {
        Duration second = Duration.ofSeconds(1);
        assertThatThrownBy(() ->
                        new LeaseTimes(
                                second.multipliedBy(11),
                                second.multipliedBy(10),
                                second.multipliedBy(2),
                                second.multipliedBy(2)))
                .hasMessageContaining("lease");
        assertThatThrownBy(() ->
                        new LeaseTimes(
                                second.multipliedBy(15),
                                second.multipliedBy(5),
                                second.multipliedBy(2),
                                second.multipliedBy(2)))
                .hasMessageContaining("belief");
    }

    private LeaderElection start(String identity, LeaseStore store) {
        LeaderElection election = election(identity, store);
        election.start();
        return election;
    }

    private LeaderElection election(String identity, LeaseStore store) {
        var election =
                new LeaderElection(
                        store,
                        new BoundedCalls(TIMES.call()),
                        identity,
                        "here/lease",
                        TIMES,
                        System::nanoTime,
                        Clock.system(ZoneOffset.UTC),
                        new Random(1));
        elections.add(election);
        return election;
    }
}
