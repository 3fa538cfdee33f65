package dev.sallyport.control.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CandidateTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final LeaseTimes TIMES = LeaseTimes.DEFAULT;

    private final SharedLease lease = new SharedLease();
    private long nanos;

    @Test
    void aLeaseThatIsNotThereIsTakenAtOnce() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        assertThat(one.leads()).isFalse();
        one.attempt();
        assertThat(one.leads()).isTrue();
        assertThat(lease.current().orElseThrow().holder()).isEqualTo("one");
    }

    @Test
    void beliefEndsByItselfTenSecondsAfterTheRenewalWasSent() throws Exception {
        var access = lease.new Access();
        Candidate one = candidate("one", access, NOW);
        access.afterWrites = () -> pass(1.5); // how long the answer takes
        one.attempt();
        pass(8.4);
        assertThat(one.leads()).isTrue();
        pass(0.2);
        assertThat(one.leads()).isFalse();
    }

    @Test
    void anotherWaitsUntilItHasNotSeenARenewalForTheWholeLease() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        Candidate two = candidate("two", lease.new Access(), NOW);
        one.attempt();
        pass(5);
        two.attempt(); // sees it for the first time
        pass(14);
        two.attempt();
        assertThat(two.leads()).isFalse();
        pass(1);
        two.attempt();
        assertThat(two.leads()).isTrue();
        assertThat(one.leads()).isFalse();
        assertThat(lease.current().orElseThrow().transitions()).isEqualTo(1);
    }

    @Test
    void noClockThatIsWrongMakesTwoLeaders() throws Exception {
        for (long days : new long[] {-400, -1, 0, 1, 400}) {
            lease.delete();
            Candidate one = candidate("one", lease.new Access(), NOW.plus(Duration.ofDays(days)));
            Candidate two = candidate("two", lease.new Access(), NOW);
            for (int i = 0; i < 30; i++) {
                one.attempt();
                two.attempt();
                assertThat(one.leads()).as("%s days off", days).isTrue();
                assertThat(two.leads()).as("%s days off", days).isFalse();
                pass(2);
            }
        }
    }

    @Test
    void aRenewalIsSeenThoughTheClockStands() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        one.attempt();
        LeaseRecord first = lease.current().orElseThrow();
        one.attempt();
        assertThat(lease.current().orElseThrow().renewed()).isAfter(first.renewed());
        assertThat(lease.current().orElseThrow().acquired()).isEqualTo(first.acquired());
    }

    @Test
    void aLostAnswerCostsNothingButTheRenewal() throws Exception {
        var access = lease.new Access();
        Candidate one = candidate("one", access, NOW);
        one.attempt();
        pass(2);
        access.losesAnswers.set(true);
        assertThatThrownBy(one::attempt).hasMessageContaining("lost");
        assertThat(one.leads()).isTrue();
        access.losesAnswers.set(false);
        pass(2);
        one.attempt();
        pass(9.9);
        assertThat(one.leads()).isTrue();
    }

    @Test
    void whoIsOutrunLeadsNoMoreAtOnce() throws Exception {
        var access = lease.new Access();
        Candidate one = candidate("one", access, NOW);
        one.attempt();
        LeaseRecord mine = lease.current().orElseThrow();
        access.beforeWrites =
                () -> lease.write(new LeaseRecord("two", Duration.ofSeconds(15), NOW, NOW, 1));
        pass(2);
        one.attempt();
        assertThat(mine.holder()).isEqualTo("one");
        assertThat(one.leads()).isFalse();
        assertThat(one.holder()).isEqualTo("two");
    }

    @Test
    void aLeaseThatIsGivenUpIsTakenAtTheNextLook() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        Candidate two = candidate("two", lease.new Access(), NOW);
        one.attempt();
        two.attempt();
        one.resign();
        assertThat(one.leads()).isFalse();
        two.attempt();
        assertThat(two.leads()).isTrue();
    }

    @Test
    void aLeaseIsGivenUpThoughSomebodyWroteOnItMeanwhile() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        one.attempt();
        lease.write(lease.current().orElseThrow()); // a new version
        one.resign();
        assertThat(lease.current().orElseThrow().holder()).isEmpty();
    }

    @Test
    void whoDoesNotHoldTheLeaseGivesNothingUp() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        Candidate two = candidate("two", lease.new Access(), NOW);
        one.attempt();
        two.attempt();
        two.resign();
        assertThat(lease.current().orElseThrow().holder()).isEqualTo("one");
    }

    @Test
    void aLeaseThatWasDeletedIsTakenAgainByItsHolderOnly() throws Exception {
        Candidate one = candidate("one", lease.new Access(), NOW);
        Candidate two = candidate("two", lease.new Access(), NOW);
        one.attempt();
        two.attempt();
        lease.delete();
        two.attempt();
        assertThat(two.leads()).isFalse();
        one.attempt();
        assertThat(one.leads()).isTrue();
        assertThat(lease.current().orElseThrow().holder()).isEqualTo("one");
    }

    @Test
    void theLongerLeaseOfAnotherVersionIsRespectedUpToAMinute() throws Exception {
        lease.write(new LeaseRecord("old", Duration.ofSeconds(40), NOW, NOW, 0));
        Candidate one = candidate("one", lease.new Access(), NOW);
        one.attempt();
        pass(39);
        one.attempt();
        assertThat(one.leads()).isFalse();
        pass(1);
        one.attempt();
        assertThat(one.leads()).isTrue();
        lease.write(new LeaseRecord("odd", Duration.ofDays(1), NOW, NOW, 0));
        one.attempt();
        assertThat(one.leads()).isFalse();
        pass(60);
        one.attempt();
        assertThat(one.leads()).isTrue();
    }

    @Test
    void whoComesBackAfterAnOutageLeadsOnWhereNobodyElseDid() throws Exception {
        var access = lease.new Access();
        Candidate one = candidate("one", access, NOW);
        one.attempt();
        access.unreachable.set(true);
        for (int i = 0; i < 100; i++) {
            pass(2);
            assertThatThrownBy(one::attempt).hasMessage("unreachable");
            assertThat(one.leads()).isEqualTo(i < 4);
        }
        access.unreachable.set(false);
        one.attempt();
        assertThat(one.leads()).isTrue();
    }

    /**
     * Three candidates with clocks that differ and do not go evenly, a network that loses and
     * delays.
     */
    @Test
    void thereAreNeverTwoLeaders() throws Exception {
        for (long seed = 0; seed < 50; seed++) {
            lease.delete();
            compete(seed);
        }
    }

    private void compete(long seed) throws InterruptedException {
        var random = new Random(seed);
        List<Candidate> candidates = new ArrayList<>();
        List<SharedLease.Access> accesses = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            var access = lease.new Access();
            access.beforeWrites = () -> pass(random.nextDouble() * 1.5);
            accesses.add(access);
            double rate = 0.95 + random.nextDouble() * 0.1;
            long offset = random.nextLong() >> 1;
            Instant wall = NOW.plusSeconds(random.nextInt(2_000_000) - 1_000_000);
            candidates.add(
                    new Candidate(
                            "candidate-" + i,
                            access,
                            TIMES,
                            () -> offset + (long) (nanos * rate),
                            random.nextBoolean()
                                    ? InstantSource.fixed(wall)
                                    : () -> wall.plusNanos(nanos)));
        }
        int led = 0;
        for (int step = 0; step < 2_000; step++) {
            int who = random.nextInt(3);
            SharedLease.Access access = accesses.get(who);
            if (random.nextInt(40) == 0) {
                access.unreachable.set(!access.unreachable.get());
            }
            access.losesAnswers.set(random.nextInt(8) == 0);
            try {
                if (random.nextInt(100) == 0) {
                    candidates.get(who).resign();
                } else {
                    candidates.get(who).attempt();
                }
            } catch (IllegalStateException _) {
                // the network
            }
            long leaders = candidates.stream().filter(Candidate::leads).count();
            assertThat(leaders).as("leaders at step %s of seed %s", step, seed).isLessThan(2);
            led += (int) leaders;
            pass(random.nextDouble() * (random.nextInt(20) == 0 ? 12 : 1.5));
        }
        assertThat(led).as("steps with a leader").isGreaterThan(200);
    }

    private void pass(double seconds) {
        nanos += (long) (seconds * 1e9);
    }

    private Candidate candidate(String identity, LeaseStore store, Instant wall) {
        return new Candidate(identity, store, TIMES, () -> nanos, InstantSource.fixed(wall));
    }
}
