package dev.sallyport.control.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import dev.sallyport.model.name.ShardedMap;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against an API server in memory, that tells at once of what was written. */
class StatusPublisherTest {
    private static final LoadBalancerAddress US = new LoadBalancerAddress.Ip("192.0.2.1");
    private static final LoadBalancerAddress THEM = new LoadBalancerAddress.Ip("192.0.2.2");
    private static final String MANAGER = "sallyport/here/lease";
    private static final StatusPace PACE =
            new StatusPace(
                    4,
                    10_000,
                    Duration.ofSeconds(2),
                    Duration.ofMinutes(1),
                    Duration.ofMillis(30),
                    Duration.ofMillis(20),
                    Duration.ofMillis(300));

    private volatile ShardedMap<ObjectRef, IngressStanding> ingresses = ShardedMap.empty();
    private final AtomicLong stopped = new AtomicLong(); // the clock; 0 while it goes
    private volatile boolean leads = true;
    private volatile boolean telling = true;
    private final Map<ObjectRef, Integer> failing = new ConcurrentHashMap<>();
    private final List<StatusPlan.Change> written = new CopyOnWriteArrayList<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final StatusPublisher publisher =
            new StatusPublisher(
                    () -> ingresses,
                    new GivenAddresses(List.of(US)),
                    () -> leads,
                    this::write,
                    MANAGER,
                    PACE,
                    () -> stopped.get() == 0 ? System.nanoTime() : stopped.get(),
                    new Random(1));

    @AfterEach
    void close() {
        publisher.close();
    }

    @Test
    void oursAreWrittenOnceAndOthersNotAtAll() {
        put(standing("a", 1, true, List.of()), standing("b", 1, false, List.of(THEM)));
        publisher.start();
        await().until(() -> addresses("a").equals(List.of(US)));
        put(standing("c", 1, true, List.of()));
        await().until(() -> addresses("c").equals(List.of(US)));
        assertThat(addresses("b")).isEqualTo(List.of(THEM));
        assertThat(written).hasSize(2);
        await().until(() -> publisher.counts().equals(new StatusPublisher.Counts(2, 0)));
    }

    @Test
    void whatWeWroteIsTakenAwayAtHandOver() {
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> addresses("a").equals(List.of(US)));
        IngressStanding ours = get("a");
        put(new IngressStanding(ours.ref(), version(9), false, ours.addresses(), ours.writers()));
        await().until(() -> addresses("a").isEmpty());
    }

    @Test
    void nothingIsTakenAwayForAMoment() {
        stopped.set(System.nanoTime());
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> addresses("a").equals(List.of(US)));
        IngressStanding ours = get("a");
        var theirs =
                new IngressStanding(
                        ours.ref(), version(9), false, ours.addresses(), ours.writers());
        put(theirs);
        awaitCompared("b");
        put(ours);
        awaitCompared("c");
        stopped.addAndGet(PACE.handOver().toNanos());
        awaitCompared("d");
        put(theirs);
        awaitCompared("e");
        stopped.addAndGet(PACE.handOver().toNanos() - 1);
        awaitCompared("f");
        assertThat(addresses("a")).containsExactly(US);
        stopped.addAndGet(1);
        publisher.wake();
        await().until(() -> addresses("a").isEmpty());
    }

    /** Another is written, so all that was there before it was looked at. */
    private void awaitCompared(String other) {
        put(standing(other, 1, true, List.of()));
        await().until(() -> addresses(other).equals(List.of(US)));
    }

    @Test
    void nobodyWritesWhoDoesNotLeadAndAllIsComparedWhenLeadershipBegins() {
        leads = false;
        put(standing("a", 1, true, List.of()));
        publisher.start();
        publisher.wake();
        await().during(Duration.ofMillis(100)).until(written::isEmpty);
        leads = true;
        publisher.wake();
        await().until(() -> addresses("a").equals(List.of(US)));
    }

    @Test
    void whatWasWrittenIsNotWrittenAgainBeforeItIsSeen() {
        telling = false;
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> publisher.counts().writes() == 1);
        put(standing("b", 1, true, List.of()));
        await().until(() -> publisher.counts().writes() == 2);
        assertThat(written)
                .extracting(change -> change.onto().ref().name())
                .containsExactly("a", "b");
    }

    @Test
    void aConflictIsTriedAgainWithTheNewerVersion() {
        fail("a", 409);
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> publisher.counts().failures() >= 1);
        put(standing("a", 2, true, List.of()));
        long before = publisher.counts().failures();
        // One that was under way, and one of the newer version.
        await().until(() -> publisher.counts().failures() >= before + 2);
        failing.clear();
        await().until(() -> addresses("a").equals(List.of(US)));
        assertThat(written.getLast().onto().version()).isEqualTo(version(2));
    }

    @Test
    void whatIsGoneIsForgotten() {
        fail("a", 404);
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> publisher.counts().failures() == 1);
        put(standing("b", 1, true, List.of()));
        await().until(() -> addresses("b").equals(List.of(US)));
        assertThat(publisher.counts().failures()).isEqualTo(1);
    }

    @Test
    void aNamespaceWithoutTheRightDoesNotHoldUpTheOthers() {
        for (int i = 0; i < 50; i++) {
            fail("forbidden-" + i, 403);
            put(standing("forbidden-" + i, 1, true, List.of()));
        }
        publisher.start();
        IngressStanding other =
                new IngressStanding(
                        new ObjectRef("Ingress", "other", "x"),
                        version(1),
                        true,
                        List.of(),
                        Set.of());
        put(other);
        await().until(() -> get(other.ref()).addresses().equals(List.of(US)));
        // Those under way when the first was refused, and then one or so each pause.
        assertThat(publisher.counts().failures()).isLessThan(20);
        failing.clear();
        await().until(() -> publisher.counts().writes() == 51);
    }

    @Test
    void anApiServerThatFailsIsLeftAlonePauseByPause() {
        for (int i = 0; i < 50; i++) {
            fail("x-" + i, 500);
            put(standing("x-" + i, 1, true, List.of()));
        }
        publisher.start();
        await().until(() -> publisher.counts().failures() > 0);
        await().pollDelay(Duration.ofMillis(500)).until(() -> true);
        // Pauses of 20 ms at first and of 300 ms at last, four requests at once.
        assertThat(publisher.counts().failures()).isLessThan(60);
        failing.clear();
        await().until(() -> publisher.counts().writes() == 50);
    }

    @Test
    void whoeverWritesOverItIsAnsweredEverMoreSlowly() {
        put(standing("a", 1, true, List.of()));
        publisher.start();
        long began = System.nanoTime();
        for (int i = 0; i < 7; i++) {
            await().until(() -> addresses("a").equals(List.of(US)));
            put(standing("a", 100 + i, true, List.of(THEM)));
        }
        // Two at once, then after 20, 40, 80, 160 ms.
        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isGreaterThan(Duration.ofMillis(300));
    }

    @Test
    void tenThousandAreWrittenFewAtATimeAndComparedInNoTime() {
        Map<ObjectRef, IngressStanding> many = new HashMap<>();
        for (int i = 0; i < 10_000; i++) {
            IngressStanding one = standing("i-" + i, 1, true, List.of());
            many.put(one.ref(), one);
        }
        ingresses = ShardedMap.copyOf(many);
        publisher.start();
        await().atMost(Duration.ofSeconds(60)).until(() -> publisher.counts().writes() == 10_000);
        assertThat(most).hasValueLessThanOrEqualTo(4);
        var plan = new StatusPlan(new GivenAddresses(List.of(US)).addresses(), MANAGER);
        long began = System.nanoTime();
        ShardedMap<ObjectRef, IngressStanding> all = ingresses;
        all.forEach((_, one) -> assertThat(plan.change(one).isEmpty()).isTrue());
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void closingWaitsForWhatIsUnderWayAndTakesNothingAway() {
        put(standing("a", 1, true, List.of()));
        publisher.start();
        await().until(() -> addresses("a").equals(List.of(US)));
        publisher.close();
        assertThat(underWay).hasValue(0);
        assertThat(addresses("a")).isEqualTo(List.of(US));
    }

    private void write(StatusPlan.Change change) {
        most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
        try {
            Integer code = failing.get(change.onto().ref());
            if (code != null) {
                throw new KubernetesClientException("failed", code, null);
            }
            written.add(change);
            if (telling) {
                put(
                        new IngressStanding(
                                change.onto().ref(),
                                version(written.size() + 1_000),
                                change.onto().accepted(),
                                change.addresses(),
                                change.addresses().isEmpty() ? Set.of() : Set.of(MANAGER)));
            }
        } finally {
            underWay.decrementAndGet();
        }
    }

    private void fail(String name, int code) {
        failing.put(ref(name), code);
    }

    private synchronized void put(IngressStanding... now) {
        Map<ObjectRef, IngressStanding> changes = new HashMap<>();
        for (IngressStanding one : now) {
            changes.put(one.ref(), one);
        }
        ingresses = ingresses.with(changes);
        publisher.wake();
    }

    private IngressStanding get(String name) {
        return get(ref(name));
    }

    private IngressStanding get(ObjectRef ref) {
        IngressStanding found = ingresses.get(ref);
        if (found == null) {
            throw new AssertionError(ref);
        }
        return found;
    }

    private List<LoadBalancerAddress> addresses(String name) {
        return get(name).addresses();
    }

    private static IngressStanding standing(
            String name, int version, boolean ours, List<LoadBalancerAddress> now) {
        return new IngressStanding(ref(name), version(version), ours, now, Set.of());
    }

    private static ObjectVersion version(int version) {
        return new ObjectVersion("uid", String.valueOf(version));
    }

    private static ObjectRef ref(String name) {
        return new ObjectRef("Ingress", "default", name);
    }
}
