package dev.sallyport.control.cluster;

import static dev.sallyport.control.cluster.FakeCluster.ingress;
import static dev.sallyport.control.cluster.FakeCluster.secret;
import static dev.sallyport.control.cluster.FakeCluster.secretRef;
import static dev.sallyport.control.cluster.Slices.ready;
import static dev.sallyport.control.cluster.Slices.slice;
import static dev.sallyport.control.cluster.Slices.unready;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.ClassParameters;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClassBuilder;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ClusterSourceTest {
    private static final Duration HOLD_BACK = Duration.ofMinutes(1);

    private final FakeCluster cluster = new FakeCluster();
    private final List<SourceUpdate> updates = new CopyOnWriteArrayList<>();
    private final AtomicLong ahead = new AtomicLong();
    private final AtomicInteger counted = new AtomicInteger();
    private volatile boolean counting; // updates, rather than keeping them
    private ClusterSource source = source(SecretAccess.BY_TYPE);

    private ClusterSource source(SecretAccess secrets, String... namespaces) {
        return new ClusterSource(
                cluster,
                new ClusterSettings(List.of(namespaces), secrets, HOLD_BACK),
                it ->
                        ClassParameters.configMap(
                                it, TranslationSettings.forCluster(List.of(), Optional.empty())),
                () -> System.nanoTime() + ahead.get());
    }

    @AfterEach
    void close() {
        source.close();
    }

    private void pass(Duration time) {
        ahead.addAndGet(time.toNanos());
    }

    private void take(SourceUpdate update) {
        if (counting) {
            counted.incrementAndGet();
            return;
        }
        updates.add(update);
    }

    /** Starts, and waits until everything is watched. */
    private void open() {
        source.start(this::take);
        await().until(() -> cluster.open().size() > 4);
        settle();
    }

    /** Waits until what was told is handled, in its turn. */
    private void settle() {
        var handled = new CountDownLatch(1);
        source.changed(
                Set.of(),
                Set.of(),
                new AbstractSet<>() {
                    @Override
                    public Iterator<ObjectRef> iterator() {
                        handled.countDown(); // read in its turn
                        return Collections.emptyIterator();
                    }

                    @Override
                    public int size() {
                        return 0;
                    }
                });
        await().until(() -> handled.getCount() == 0);
    }

    /** Something refers to these, of which the reconciler knows. */
    private void want(String... secrets) {
        source.changed(refs("Secret", secrets), Set.of(), Set.of());
    }

    /** Something refers to these, of which the reconciler knows nothing. */
    private void seek(String... secrets) {
        source.changed(refs("Secret", secrets), refs("Secret", secrets), Set.of());
    }

    private void release(String... secrets) {
        source.changed(Set.of(), Set.of(), refs("Secret", secrets));
    }

    private static Resource[] those(Resource[] resources, boolean secrets) {
        return Arrays.stream(resources)
                .filter(resource -> secrets == resource instanceof Resource.OfSecret)
                .toArray(Resource[]::new);
    }

    /** Lists everything, with these Ingresses and Secrets. */
    private void listAll(Resource... resources) {
        cluster.feed(WatchedKind.INGRESS).list(those(resources, false));
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.SECRET).list(those(resources, true));
        cluster.feed(WatchedKind.NAMESPACE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
    }

    private void serve(Resource... resources) {
        open();
        listAll(resources);
        await().until(() -> !updates.isEmpty());
    }

    private List<ResourceChange> changes() {
        return updates.stream().flatMap(update -> update.changes().stream()).toList();
    }

    private void awaitChange(ResourceChange change) {
        await("change " + change.ref()).until(() -> changes().contains(change));
    }

    private List<Finding> findings() {
        Map<String, List<Finding>> last = new HashMap<>();
        updates.forEach(update -> last.putAll(update.findings()));
        return last.values().stream().flatMap(List::stream).toList();
    }

    private List<Finding> findings(Reason reason) {
        return findings().stream().filter(finding -> finding.reason() == reason).toList();
    }

    // The start

    @Test
    void nothingIsToldBeforeAllListsAreInThenEverythingAtOnce() {
        open();
        cluster.feed(WatchedKind.INGRESS).list(ingress("a"));
        cluster.feed(WatchedKind.SECRET).list(secret("s", "1"));
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        settle();
        assertThat(updates).isEmpty();
        assertThat(source.sinceLastLook()).isEmpty();
        assertThat(source.waitingFor().orElseThrow()).contains("the list of ingressclasses");

        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        await().until(() -> updates.size() == 1);
        assertThat(updates.getFirst().changes())
                .containsExactly(
                        ResourceChange.put(ingress("a")), ResourceChange.put(secret("s", "1")));
        assertThat(source.waitingFor()).isEmpty();
        assertThat(source.sinceLastLook()).isPresent();
    }

    @Test
    void aListThatIsRefusedIsWaitedForByName() {
        open();
        cluster.feed(WatchedKind.INGRESS).list();
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        cluster.feed(WatchedKind.NAMESPACE).fail(403, "not yours");
        cluster.feed(WatchedKind.SECRET).fail(403, "not you");
        await().untilAsserted(() ->
                assertThat(source.waitingFor())
                        .contains(
                                "the list of secrets of type kubernetes.io/tls in all namespaces (403: not you)"));
        pass(Duration.ofHours(1));
        settle();
        assertThat(updates).isEmpty();
        cluster.feed(WatchedKind.SECRET).list();
        await().until(() -> updates.size() == 1);
    }

    @Test
    void whatCameBeforeTheFirstUpdateIsToldAsItIsByThen() {
        open();
        cluster.feed(WatchedKind.INGRESS).list(ingress("a"), ingress("b"));
        cluster.feed(WatchedKind.INGRESS).delete(ingress("a").ref());
        cluster.feed(WatchedKind.SECRET).list(secret("s", "1"));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2"));
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        await().until(() -> updates.size() == 1);
        assertThat(updates.getFirst().changes())
                .contains(
                        ResourceChange.remove(ingress("a").ref()),
                        ResourceChange.put(ingress("b")),
                        ResourceChange.put(secret("s", "2")))
                .doesNotContain(ResourceChange.put(secret("s", "1")));
    }

    // Changes

    @Test
    void eachChangeIsTold() {
        serve(ingress("a"));
        cluster.feed(WatchedKind.INGRESS).put(ingress("b"));
        awaitChange(ResourceChange.put(ingress("b")));
        cluster.feed(WatchedKind.INGRESS).delete(ingress("a").ref());
        awaitChange(ResourceChange.remove(ingress("a").ref()));
        assertThat(updates).hasSize(3);
    }

    @Test
    void aListThatChangedNothingTellsNothing() {
        serve(ingress("a"), secret("s", "1"));
        cluster.feed(WatchedKind.INGRESS).relistWithout();
        cluster.feed(WatchedKind.SECRET).relistWithout();
        settle();
        assertThat(updates).hasSize(1);
    }

    /** One event costs the same among ten thousand objects as among a hundred. */
    @Test
    void anEventCostsTheSameHoweverManyObjectsThereAre() {
        open();
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        cluster.feed(WatchedKind.INGRESS).list(many(100, "i"));
        cluster.feed(WatchedKind.SECRET).list();
        await().until(() -> updates.size() == 1);
        cost(); // warm
        double few = cost();
        cluster.feed(WatchedKind.INGRESS).list(many(10_000, "more"));
        await().until(() -> counted.get() >= 14_000);
        double many = cost();
        System.getLogger("cost").log(System.Logger.Level.INFO, "µs an event: " + few + ", " + many);
        assertThat(many).isLessThan(Math.max(5 * few, 20));
    }

    private static Resource[] many(int count, String prefix) {
        return IntStream.range(0, count)
                .mapToObj(number -> ingress(prefix + number))
                .toArray(Resource[]::new);
    }

    /** In microseconds of the thread's CPU. */
    private double cost() {
        var threads = ManagementFactory.getThreadMXBean();
        long id =
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().equals("cluster-watcher"))
                        .findFirst()
                        .orElseThrow()
                        .threadId();
        counting = true;
        int told = counted.get();
        int events = 2_000;
        long before = threads.getThreadCpuTime(id);
        for (int i = 0; i < events; i++) {
            cluster.feed(WatchedKind.INGRESS).put(ingress("one"));
        }
        await().until(() -> counted.get() >= told + events);
        return (threads.getThreadCpuTime(id) - before) / 1e3 / events;
    }

    // Secrets

    @Test
    void aSecretThatNoListShowsIsWatchedByItself() {
        serve(ingress("a"), secret("listed", "1"));
        want("listed");
        seek("opaque");
        await().until(() -> cluster.isOpen(secretRef("opaque")));
        assertThat(cluster.isOpen(secretRef("listed"))).isFalse();
        cluster.feed(secretRef("opaque")).list(secret("opaque", "1"));
        awaitChange(ResourceChange.put(secret("opaque", "1")));

        release("opaque");
        await().until(() -> !cluster.isOpen(secretRef("opaque")));
        awaitChange(ResourceChange.remove(secretRef("opaque")));
    }

    @Test
    void aSecretThatIsNotThereIsToldToBeGone() {
        serve(ingress("a"));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        cluster.feed(secretRef("s")).list();
        awaitChange(ResourceChange.remove(secretRef("s")));
    }

    @Test
    void onceAListShowsItTheWatchOfItsOwnIsClosedAndNotHeardAnyMore() {
        serve(ingress("a"));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        var own = cluster.feed(secretRef("s"));
        own.list();
        cluster.feed(WatchedKind.SECRET).put(secret("s", "1"));
        await().until(() -> !cluster.isOpen(secretRef("s")));
        own.delete(secretRef("s")); // what it said before comes late
        settle();
        assertThat(changes().getLast()).isEqualTo(ResourceChange.put(secret("s", "1")));

        cluster.feed(WatchedKind.SECRET).delete(secretRef("s"));
        await().until(() -> cluster.isOpen(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2"));
        await().until(() -> !cluster.isOpen(secretRef("s")));
    }

    @Test
    void aSecretThatDoesNotMatterAnyMoreIsGone() {
        serve(secret("s", "1"));
        cluster.feed(WatchedKind.SECRET).irrelevant(secretRef("s"));
        awaitChange(ResourceChange.remove(secretRef("s")));
    }

    @Test
    void aSecretThatMayNotBeReadIsNeitherThereNorGone() {
        serve(ingress("a"));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        cluster.feed(secretRef("s")).fail(403, "not you");
        await().until(() ->
                updates.stream()
                        .anyMatch(update -> update.unreadable().equals(Set.of(secretRef("s")))));
        assertThat(findings(Reason.SECRET_FORBIDDEN))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("403: not you"));
        int told = updates.size();
        cluster.feed(secretRef("s")).fail(403, "not you");
        settle();
        assertThat(updates).as("said once").hasSize(told);

        cluster.feed(secretRef("s")).list(secret("s", "1"));
        awaitChange(ResourceChange.put(secret("s", "1")));
        assertThat(findings(Reason.SECRET_FORBIDDEN)).isEmpty();
    }

    @Test
    void soManyAreOpenedAtATimeAndThoseBeyondAreReadInTurn() {
        source.close();
        source = source(SecretAccess.BY_NAME);
        source.start(this::take);
        await().until(() -> cluster.open().size() == 5);
        cluster.feed(WatchedKind.INGRESS).list();
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        await().until(() -> updates.size() == 1);

        List<ObjectRef> wanted =
                IntStream.range(0, 510).mapToObj(number -> secretRef("s" + number)).toList();
        wanted.subList(505, 510)
                .forEach(secret -> cluster.unreadable(secret, new Trouble(403, "not you")));
        source.changed(Set.copyOf(wanted), Set.copyOf(wanted), Set.of());
        await().until(() -> cluster.started().size() == 50);
        answerStarted(500);
        assertThat(cluster.started()).hasSize(500);
        await().until(() -> cluster.reads().size() >= 10);
        await().until(() -> findings(Reason.SECRETS_READ_IN_TURN).size() == 1);
        await().until(() -> changes().size() + findings(Reason.SECRET_FORBIDDEN).size() >= 510);

        source.changed(Set.of(), Set.of(), Set.copyOf(wanted.subList(0, 100)));
        await().until(() -> findings(Reason.SECRETS_READ_IN_TURN).isEmpty());
        await().until(() -> cluster.started().size() >= 500);
    }

    /** Each of the first so many watches of single Secrets, once it is started: there is none. */
    private void answerStarted(int count) {
        for (int answered = 0; answered < count; answered++) {
            int next = answered;
            await().pollInterval(1, TimeUnit.MILLISECONDS)
                    .until(() -> cluster.started().size() > next);
            cluster.feed(cluster.started().get(answered)).list();
        }
    }

    @Test
    void anApiServerThatDoesNotAnswerReadsIsNotAskedMoreAndMore() {
        serve();
        List<ObjectRef> wanted =
                IntStream.range(0, 400).mapToObj(number -> secretRef("s" + number)).toList();
        cluster.holdReads();
        source.changed(Set.copyOf(wanted), Set.copyOf(wanted), Set.of());
        answerStarted(100);
        await().until(() -> cluster.reads().size() == 100);
        await().pollDelay(Duration.ofMillis(2_500)).until(() -> cluster.reads().size() == 100);
        cluster.answerReads();
        await().until(() -> changes().size() >= 400);
    }

    /** Nobody reads where there is room for watches. */
    @Test
    void aSecretWhoseReadFailedIsWatchedWhereThereIsRoomByThen() {
        serve();
        List<ObjectRef> wanted =
                IntStream.range(0, 101).mapToObj(number -> secretRef("s" + number)).toList();
        wanted.forEach(secret -> cluster.unreadable(secret, new Trouble(500, "not now")));
        cluster.holdReads();
        source.changed(Set.copyOf(wanted), Set.copyOf(wanted), Set.of());
        answerStarted(100);
        await().until(() -> cluster.reads().size() == 1);
        ObjectRef last = cluster.reads().getFirst();
        source.changed(Set.of(), Set.of(), Set.of(cluster.started().getFirst()));
        await().until(() -> !cluster.isOpen(cluster.started().getFirst()));
        assertThat(cluster.isOpen(last)).isFalse();
        cluster.answerReads();
        await().until(() -> cluster.isOpen(last));
    }

    @Test
    void aSecretsOwnWatchThatIsSilentIsToldAndCounts() {
        source.close();
        source = source(SecretAccess.BY_NAME);
        source.start(this::take);
        await().until(() -> cluster.open().size() == 5);
        List.copyOf(cluster.open()).forEach(each -> cluster.feed(each).list());
        await().until(() -> updates.size() == 1);
        ObjectRef wanted = secretRef("alone");
        source.changed(Set.of(wanted), Set.of(wanted), Set.of());
        await().until(() -> cluster.isOpen(wanted));
        pass(Duration.ofSeconds(30));
        heardAllBut(WatchedKind.SECRET);
        await().untilAsserted(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.WATCH_INTERRUPTED));
        assertThat(source.sinceLastLook().orElseThrow()).isGreaterThan(Duration.ofSeconds(29));
        heardAllBut();
        await().until(() -> findings().isEmpty());
        assertThat(source.sinceLastLook().orElseThrow()).isLessThan(Duration.ofSeconds(20));
    }

    // Secrets of which the reconciler is told only once something refers to them

    @Test
    void ofASecretThatNothingRefersToNoChangeIsToldAndItsKeyIsWiped() {
        serve(secret("s", "1", 10));
        var next = secret("s", "2", 11);
        cluster.feed(WatchedKind.SECRET).put(next);
        settle();
        assertThat(updates).hasSize(1);
        assertThat(((Resource.OfSecret) next).material().holdsPem()).isFalse();

        cluster.feed(WatchedKind.SECRET).delete(secretRef("s"));
        awaitChange(ResourceChange.remove(secretRef("s")));
    }

    @Test
    void aSecretThatAListShowsIsLookedAtWhenItIsSoughtAndFollowedByTheListThereafter() {
        serve(secret("s", "1", 10));
        seek("s");
        lookShows(secret("s", "1", 10));
        await().until(() -> told("s") == 2);
        await().until(() -> !cluster.isOpen(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        assertThat(cluster.started()).hasSize(1);
    }

    @Test
    void aSecretThatIsKnownIsNotLookedAt() {
        serve(secret("s", "1", 10));
        want("s");
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        assertThat(cluster.started()).isEmpty();
    }

    /** The reconciler heard of it with the first update, and said so after the next change. */
    @Test
    void aChangeThatWasPassedOverBeforeItWasKnownToBeWantedIsLookedUp() {
        serve(secret("s", "1", 10));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        want("s");
        lookShows(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        await().until(() -> !cluster.isOpen(secretRef("s")));
    }

    @Test
    void aChangeThatComesWhileItIsLookedAtIsTheAnswer() {
        serve(secret("s", "1", 10));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        var look = cluster.feed(secretRef("s"));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        await().until(() -> !cluster.isOpen(secretRef("s")));
        look.list(secret("s", "1", 10)); // too late
        settle();
        assertThat(last("s")).isEqualTo(Optional.of(secret("s", "2", 11)));
    }

    @Test
    void anOlderVersionThatAListShowsLateDoesNotComeAfterTheNewerOneThatWasSeen() {
        serve(secret("s", "1", 9));
        seek("s");
        lookShows(secret("s", "3", 11));
        awaitChange(ResourceChange.put(secret("s", "3", 11)));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 10));
        settle();
        assertThat(last("s")).isEqualTo(Optional.of(secret("s", "3", 11)));
        assertThat(cluster.isOpen(secretRef("s"))).as("the list is not as far").isTrue();

        cluster.feed(secretRef("s")).put(secret("s", "4", 12));
        awaitChange(ResourceChange.put(secret("s", "4", 12)));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "3", 11));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "4", 12));
        await().until(() -> !cluster.isOpen(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "5", 13));
        awaitChange(ResourceChange.put(secret("s", "5", 13)));
        assertThat(told("s")).isEqualTo(4);
    }

    /** An API server that answers from a cache of its own. */
    @Test
    void aLookThatIsNotAsFarAsTheListGoesOnUntilItIs() {
        serve(secret("s", "1", 9));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 10));
        seek("s");
        lookShows(secret("s", "1", 9));
        await().until(() -> told("s") == 2);
        assertThat(cluster.isOpen(secretRef("s"))).isTrue();
        cluster.feed(secretRef("s")).put(secret("s", "2", 10));
        await().until(() -> !cluster.isOpen(secretRef("s")));
        assertThat(last("s")).isEqualTo(Optional.of(secret("s", "2", 10)));
    }

    @Test
    void aSecretThatIsReleasedIsFollowedWhileItIsThere() {
        serve(secret("s", "1", 10));
        want("s");
        release("s");
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        want("s");
        settle();
        assertThat(cluster.started()).as("it is known").isEmpty();

        release("s");
        cluster.feed(WatchedKind.SECRET).delete(secretRef("s"));
        awaitChange(ResourceChange.remove(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "3", 12));
        settle();
        assertThat(last("s")).as("another one, that nothing refers to").isEmpty();
    }

    @Test
    void aSecretThatIsReleasedBeforeItWasSeenIsLookedAtAgain() {
        serve(secret("s", "1", 10));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        release("s");
        await().until(() -> !cluster.isOpen(secretRef("s")));
        settle();
        assertThat(told("s")).as("it is still there").isEqualTo(1);
        want("s"); // whatever the reconciler believes
        lookShows(secret("s", "1", 10));
        await().until(() -> told("s") == 2);
    }

    @Test
    void aSecretThatIsDeletedWhileItIsLookedAtIsGoneWhenTheLookSaysSo() {
        serve(secret("s", "1", 10));
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).delete(secretRef("s"));
        settle();
        assertThat(told("s")).isEqualTo(1);
        cluster.feed(secretRef("s")).list();
        awaitChange(ResourceChange.remove(secretRef("s")));
        assertThat(cluster.isOpen(secretRef("s"))).as("it may come back").isTrue();
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 12));
        awaitChange(ResourceChange.put(secret("s", "2", 12)));
        await().until(() -> !cluster.isOpen(secretRef("s")));
    }

    /** A type cannot be changed: the Secret is deleted, and another takes its place. */
    @Test
    void aSecretThatChangesItsTypeWhileItIsLookedAtIsFollowedByTheLook() {
        serve(secret("s", "1", 10));
        seek("s");
        lookShows(secret("s", "opaque", 12));
        awaitChange(ResourceChange.put(secret("s", "opaque", 12)));
        cluster.feed(WatchedKind.SECRET).delete(secretRef("s"));
        settle();
        assertThat(last("s")).isEqualTo(Optional.of(secret("s", "opaque", 12)));
        cluster.feed(secretRef("s")).put(secret("s", "opaque", 13));
        awaitChange(ResourceChange.put(secret("s", "opaque", 13)));

        cluster.feed(secretRef("s")).delete(secretRef("s"));
        awaitChange(ResourceChange.remove(secretRef("s")));
        cluster.feed(WatchedKind.SECRET).put(secret("s", "tls", 15));
        awaitChange(ResourceChange.put(secret("s", "tls", 15)));
        await().until(() -> !cluster.isOpen(secretRef("s")));
    }

    /** A hundred watches are open, of Secrets that do not exist: the next is read. */
    @Test
    void aReadThatFailsIsRepeatedUntilItSucceeds() {
        serve(secret("s", "1", 10));
        String[] missing =
                IntStream.range(0, 100).mapToObj(number -> "m" + number).toArray(String[]::new);
        seek(missing);
        for (int answered = 0; answered < missing.length; answered++) {
            int next = answered;
            await().pollInterval(1, TimeUnit.MILLISECONDS)
                    .until(() -> cluster.started().size() > next);
            cluster.feed(cluster.started().get(answered)).list();
        }
        cluster.unreadable(secretRef("s"), new Trouble(500, "not now"));
        seek("s");
        await().until(() -> cluster.reads().size() >= 2);
        assertThat(told("s")).isEqualTo(1);
        cluster.readable(secret("s", "1", 10));
        await().until(() -> told("s") == 2);
        int reads = cluster.reads().size();
        cluster.feed(WatchedKind.SECRET).put(secret("s", "2", 11));
        awaitChange(ResourceChange.put(secret("s", "2", 11)));
        assertThat(cluster.reads()).as("it is not read any more").hasSize(reads);
    }

    @Test
    void veryManyAreListedAnewInsteadOfLookedAt() {
        String[] names =
                IntStream.range(0, 150).mapToObj(number -> "s" + number).toArray(String[]::new);
        Resource[] secrets =
                IntStream.range(0, 150)
                        .mapToObj(number -> secret("s" + number, "1", 10 + number))
                        .toArray(Resource[]::new);
        serve(secrets);
        var before = cluster.feed(WatchedKind.SECRET);
        seek(names);
        await().until(() -> cluster.feed(WatchedKind.SECRET) != before);
        cluster.feed(WatchedKind.SECRET).list(secrets);
        await().until(() -> Arrays.stream(names).allMatch(name -> told(name) == 2));
        await().until(() ->
                Arrays.stream(names).noneMatch(name -> cluster.isOpen(secretRef(name))));
        assertThat(removed()).isEmpty();

        cluster.feed(WatchedKind.SECRET).list(secrets);
        settle();
        assertThat(changes()).as("what is known is not told again").hasSize(300);
    }

    private void lookShows(Resource secret) {
        await().until(() -> cluster.isOpen(secret.ref()));
        cluster.feed(secret.ref()).list(secret);
    }

    private List<ResourceChange> changes(String secret) {
        return changes().stream().filter(change -> change.ref().equals(secretRef(secret))).toList();
    }

    private int told(String secret) {
        return changes(secret).size();
    }

    /** What was told of it last. */
    private Optional<Resource> last(String secret) {
        return changes(secret).getLast().now();
    }

    // What is missing after a gap

    @Test
    void anEmptyListAfterAGapIsObeyedOnceTheTimeIsOverAndASecondAgrees() {
        serve(ingress("a"), ingress("b"));
        var feed = cluster.feed(WatchedKind.INGRESS);
        feed.relistWithout(ingress("a").ref(), ingress("b").ref());
        await().untilAsserted(() -> assertThat(findings(Reason.LIST_HELD_BACK)).hasSize(1));
        assertThat(source.heldBack()).isEqualTo(2);

        feed.secondList(Optional.empty()); // fails
        pass(HOLD_BACK);
        await().pollDelay(Duration.ofMillis(1200)).until(() -> source.heldBack() == 2);
        feed.secondList(Optional.of(Set.of()));
        pass(HOLD_BACK);
        awaitChange(ResourceChange.remove(ingress("a").ref()));
        awaitChange(ResourceChange.remove(ingress("b").ref()));
        await().until(() -> source.heldBack() == 0);
        await().until(() -> findings(Reason.LIST_HELD_BACK).isEmpty());
    }

    @Test
    void whatASecondListHasIsWatchedAnew() {
        serve(ingress("a"), ingress("b"));
        var before = cluster.feed(WatchedKind.INGRESS);
        before.secondList(Optional.of(Set.of(ingress("a").ref())));
        before.relistWithout(ingress("a").ref(), ingress("b").ref());
        await().until(() -> source.heldBack() == 2);
        pass(HOLD_BACK);
        awaitChange(ResourceChange.remove(ingress("b").ref()));
        await().until(() -> cluster.feed(WatchedKind.INGRESS) != before);
        before.delete(ingress("a").ref()); // nobody listens any more
        cluster.feed(WatchedKind.INGRESS).list(ingress("a"));
        await().until(() -> source.heldBack() == 0);
        await().until(() -> findings(Reason.LIST_HELD_BACK).isEmpty());
        assertThat(changes()).doesNotContain(ResourceChange.remove(ingress("a").ref()));
    }

    @Test
    void whatComesBackByItselfEndsTheMatter() {
        serve(ingress("a"));
        cluster.feed(WatchedKind.INGRESS).relistWithout(ingress("a").ref());
        await().until(() -> source.heldBack() == 1);
        cluster.feed(WatchedKind.INGRESS).put(ingress("a"));
        await().until(() -> source.heldBack() == 0);
        assertThat(findings(Reason.LIST_HELD_BACK)).isEmpty();
    }

    // Readiness after a gap

    @Test
    void whoIsNotReadyAnyMoreAfterAGapIsDoubtedUntilTheTimeIsOver() {
        serve();
        FakeCluster.FakeFeed feed = cluster.feed(WatchedKind.ENDPOINT_SLICE);
        feed.put(slice("web", ready("10.0.0.1")));
        awaitChange(ResourceChange.put(slice("web", ready("10.0.0.1"))));
        pass(Duration.ofSeconds(20));
        await().until(() -> !findings(Reason.API_SERVER_UNREACHABLE).isEmpty());
        heardAllBut();
        await().until(() -> findings().isEmpty());

        Resource.OfEndpointSlice unready = slice("web", unready("10.0.0.1"));
        feed.put(unready);
        awaitChange(ResourceChange.put(unready.doubting(Set.of("10.0.0.1"))));
        assertThat(changes()).doesNotContain(ResourceChange.put(unready));
        Duration step = Duration.ofSeconds(10); // no gap
        for (long i = HOLD_BACK.multipliedBy(5).dividedBy(step); i > 0; i--) {
            pass(step);
            heardAllBut();
            settle();
        }
        awaitChange(ResourceChange.put(unready));
    }

    @Test
    void whoIsNotReadyAnyMoreWithoutAGapIsNotDoubted() {
        serve();
        FakeCluster.FakeFeed feed = cluster.feed(WatchedKind.ENDPOINT_SLICE);
        feed.put(slice("web", ready("10.0.0.1")));
        feed.put(slice("web", unready("10.0.0.1")));
        awaitChange(ResourceChange.put(slice("web", unready("10.0.0.1"))));
    }

    // Silence

    @Test
    void theAgeIsThatOfTheMostSilentWatch() {
        serve();
        await().until(() -> source.sinceLastLook().orElseThrow().toSeconds() < 3);
        pass(Duration.ofSeconds(30));
        assertThat(source.sinceLastLook().orElseThrow()).isGreaterThan(Duration.ofSeconds(29));
        await().untilAsserted(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.API_SERVER_UNREACHABLE));
        heardAllBut(WatchedKind.SECRET);
        await().untilAsserted(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.WATCH_INTERRUPTED));
        assertThat(source.sinceLastLook().orElseThrow()).isGreaterThan(Duration.ofSeconds(29));
        heardAllBut();
        await().until(() -> findings().isEmpty());
        assertThat(source.sinceLastLook().orElseThrow()).isLessThan(Duration.ofSeconds(20));
    }

    private void heardAllBut(WatchedKind<?>... kinds) {
        List<Watched<?>> watched = new ArrayList<>(cluster.open());
        watched.removeIf(each -> List.of(kinds).contains(each.kind()));
        for (Watched<?> each : watched) {
            cluster.contact(
                    each,
                    new Contact(
                            true,
                            true,
                            Optional.of(System.nanoTime() + ahead.get()),
                            Optional.empty()));
        }
    }

    // Namespaces

    @Test
    void namespacesAreWatchedApartAndOneThatDoesNotExistIsNamed() {
        source.close();
        source = source(SecretAccess.BY_TYPE, "shop", "shpo", "shop");
        source.start(this::take);
        await().until(() -> cluster.open().size() == 11);
        for (Watched<?> watched : cluster.open()) {
            if (watched.kind().equals(WatchedKind.INGRESS_CLASS)) {
                cluster.feed(watched).fail(403, "not you");
            } else if (watched.scope().name().isPresent()
                    && watched.scope().name().get().equals("shop")) {
                cluster.feed(watched).list(FakeCluster.namespace("shop"));
            } else {
                cluster.feed(watched).list();
            }
        }
        await().until(() -> !updates.isEmpty());
        await().untilAsserted(() ->
                assertThat(findings(Reason.NAMESPACE_MISSING))
                        .extracting(finding -> finding.object().name())
                        .containsExactly("shpo"));
        await().until(() -> findings(Reason.WATCH_LIMITED).size() == 1);
        cluster.feed(new Watched<>(WatchedKind.NAMESPACE, WatchScope.named("shpo")))
                .put(FakeCluster.namespace("shpo"));
        await().until(() -> findings(Reason.NAMESPACE_MISSING).isEmpty());
    }

    @Test
    void afterTheEndNothingIsWatchedAndNothingIsTold() {
        serve(ingress("a"));
        var feed = cluster.feed(WatchedKind.INGRESS);
        source.close();
        assertThat(cluster.open()).isEmpty();
        feed.put(ingress("b"));
        await().pollDelay(50, TimeUnit.MILLISECONDS).until(() -> updates.size() == 1);
    }

    // A start from a stored state

    @Test
    void whatIsInServiceAndInNoListIsTakenBackWithTheFirstUpdate() {
        open();
        source.expect(List.of(ingress("a"), ingress("b"), ingress("c")), Duration.ZERO);
        listAll(ingress("a"), ingress("b"));
        await().until(() -> !updates.isEmpty());
        assertThat(updates.getFirst().changes())
                .contains(ResourceChange.remove(new ObjectRef("Ingress", "default", "c")));
        assertThat(removed()).hasSize(1);
    }

    @Test
    void whatIsInServiceAndInNoListIsTakenBackWhateverListCameBeforeThatWasKnown() {
        open();
        cluster.feed(WatchedKind.INGRESS).list(ingress("a"), ingress("b"));
        settle();
        source.expect(List.of(ingress("a"), ingress("b"), ingress("c")), Duration.ZERO);
        listAll();
        await().until(() -> !updates.isEmpty());
        assertThat(removed()).containsExactly(new ObjectRef("Ingress", "default", "c"));
    }

    @Test
    void whatIsInServiceAndComesAfterItWasExpectedInTheMiddleOfAListStays() {
        open();
        FakeCluster.FakeFeed feed = cluster.feed(WatchedKind.INGRESS);
        feed.begin();
        feed.put(ingress("a"));
        settle();
        source.expect(List.of(ingress("a"), ingress("b"), ingress("c")), Duration.ZERO);
        settle();
        feed.put(ingress("b"));
        feed.end();
        listOthers();
        await().until(() -> !updates.isEmpty());
        assertThat(removed()).containsExactly(new ObjectRef("Ingress", "default", "c"));
    }

    @Test
    void aFirstListThatLacksHalfOfWhatIsInServiceIsHeldBack() {
        open();
        source.expect(List.of(ingress("a"), ingress("b"), ingress("c")), Duration.ZERO);
        listAll(ingress("a"));
        await().until(() -> !updates.isEmpty());
        assertThat(removed()).isEmpty();
        assertThat(source.heldBack()).isEqualTo(2);
        assertThat(findings(Reason.LIST_HELD_BACK)).hasSize(1);
        pass(HOLD_BACK.plusSeconds(1));
        await().until(() -> removed().size() == 2);
    }

    @Test
    void whoIsNotReadyAnyMoreInTheFirstListIsDoubtedWhicheverCameFirst() {
        open();
        FakeCluster.FakeFeed feed = cluster.feed(WatchedKind.ENDPOINT_SLICE);
        feed.begin();
        feed.put(slice("a", unready("10.0.0.1")));
        settle();
        source.expect(
                List.of(slice("a", ready("10.0.0.1")), slice("b", ready("10.0.0.2"))),
                Duration.ofHours(1));
        settle();
        feed.put(slice("b", unready("10.0.0.2")));
        feed.end();
        cluster.feed(WatchedKind.INGRESS).list();
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.SECRET).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        cluster.feed(WatchedKind.INGRESS_CLASS).list();
        await().until(() -> !updates.isEmpty());
        assertThat(updates.getFirst().changes())
                .containsExactlyInAnyOrder(
                        ResourceChange.put(
                                slice("a", unready("10.0.0.1")).doubting(Set.of("10.0.0.1"))),
                        ResourceChange.put(
                                slice("b", unready("10.0.0.2")).doubting(Set.of("10.0.0.2"))));
    }

    @Test
    void whatNoWatchWouldShowGoesAtOnce() {
        source = source(SecretAccess.BY_TYPE, "shop");
        open();
        source.expect(List.of(ingress("elsewhere")), Duration.ZERO);
        settle();
        cluster.open().forEach(watched -> cluster.feed(watched).list());
        await().until(() -> !updates.isEmpty());
        assertThat(removed()).contains(new ObjectRef("Ingress", "default", "elsewhere"));
    }

    /** All that are referred to may be in the list: a start would open a watch for each. */
    @Test
    void noSecretIsAskedForByNameBeforeTheListsAreIn() {
        open();
        seek("listed", "other");
        settle();
        assertThat(cluster.started()).isEmpty();
        listAll(secret("listed", "1"));
        await().until(() -> cluster.isOpen(secretRef("other")));
        assertThat(cluster.isOpen(secretRef("listed"))).isFalse();
    }

    @Test
    void aSecretThatMayNotBeReadIsToldWithTheFirstUpdateAndNotAsIt() {
        source = source(SecretAccess.BY_NAME);
        source.start(this::take);
        await().until(() -> cluster.open().size() > 3);
        seek("s");
        await().until(() -> cluster.isOpen(secretRef("s")));
        cluster.feed(secretRef("s")).fail(403, "forbidden");
        settle();
        assertThat(updates).isEmpty();
        listOthers();
        cluster.feed(WatchedKind.INGRESS).list();
        await().until(() -> !updates.isEmpty());
        assertThat(updates.getFirst().unreadable()).containsExactly(secretRef("s"));
    }

    @Test
    void anApiServerIsUnreachableWhenNothingIsAnswered() {
        open();
        assertThat(source.unreachable()).isEmpty();
        cluster.open().stream()
                .limit(3)
                .forEach(watched -> cluster.feed(watched).fail(0, "refused"));
        settle();
        assertThat(source.unreachable()).isEmpty();
        cluster.open().forEach(watched -> cluster.feed(watched).fail(0, "refused"));
        settle();
        assertThat(source.unreachable()).contains("refused");
        cluster.feed(WatchedKind.INGRESS).fail(503, "not yet"); // somebody answers
        settle();
        assertThat(source.unreachable()).isEmpty();
    }

    @Test
    void anApiServerIsHeardOfWithTheFirstObject() {
        open();
        assertThat(source.sinceHeard()).isEmpty();
        cluster.feed(WatchedKind.INGRESS).put(ingress("a"));
        settle();
        assertThat(source.sinceHeard()).isPresent();
        pass(Duration.ofSeconds(7));
        assertThat(source.sinceHeard().orElseThrow()).isGreaterThan(Duration.ofSeconds(6));
    }

    /** A busy cluster would keep a start waiting for a list that never comes. */
    @Test
    void whatIsKnownAlreadyIsNoProgress() {
        open();
        FakeCluster.FakeFeed ingresses = cluster.feed(WatchedKind.INGRESS).list(ingress("a"));
        FakeCluster.FakeFeed secrets = cluster.feed(WatchedKind.SECRET);
        secrets.put(secret("s", "1")); // of a first page
        settle();
        pass(Duration.ofSeconds(7));
        ingresses.put(ingress("a")); // touched
        ingresses.put(ingress("b")); // new, of a kind that is listed
        secrets.put(secret("s", "1")); // the first page again
        settle();
        assertThat(source.sinceHeard().orElseThrow()).isGreaterThan(Duration.ofSeconds(6));
        secrets.put(secret("t", "1"));
        settle();
        assertThat(source.sinceHeard().orElseThrow()).isLessThan(Duration.ofSeconds(6));
    }

    @Test
    void aRefusalOfWhatIsNeededIsSaidUntilItIsGranted() {
        open();
        assertThat(source.refused(Duration.ZERO)).isEmpty();
        cluster.feed(WatchedKind.NAMESPACE).fail(403, "not yours"); // which is not needed
        settle();
        assertThat(source.refused(Duration.ZERO)).isEmpty();
        cluster.feed(WatchedKind.SECRET).fail(401, "who are you"); // a token may be replaced
        settle();
        assertThat(source.refused(Duration.ZERO)).isEmpty();
        cluster.feed(WatchedKind.SECRET).fail(403, "not you");
        settle();
        assertThat(source.refused(Duration.ZERO).orElseThrow()).contains("secrets", "403: not you");
        assertThat(source.refused(Duration.ofSeconds(10))).isEmpty();
        pass(Duration.ofSeconds(11));
        assertThat(source.refused(Duration.ofSeconds(10))).isPresent();
        cluster.feed(WatchedKind.SECRET).fail(503, "not now");
        settle();
        assertThat(source.refused(Duration.ZERO)).isEmpty();
        cluster.feed(WatchedKind.SECRET).fail(403, "not you");
        settle();
        assertThat(source.refused(Duration.ZERO)).isPresent();
        listAll();
        await().until(() -> !updates.isEmpty());
        assertThat(source.refused(Duration.ZERO)).isEmpty();
    }

    /** Others are served as they are then; these are as old as they were in the file. */
    @Test
    void whatANamespaceThatIsRefusedLeavesAsItWasStoredIsTold() {
        source.close();
        source = source(SecretAccess.BY_TYPE, "default", "other");
        source.start(this::take);
        await().until(() -> cluster.open().size() == 11);
        Watched<?> refused = new Watched<>(WatchedKind.INGRESS, WatchScope.in("default"));
        for (Watched<?> watched : cluster.open()) {
            if (watched.equals(refused)) {
                cluster.feed(watched).fail(403, "not you");
            } else {
                cluster.feed(watched).list();
            }
        }
        source.expect(List.of(ingress("a")), Duration.ofHours(3));
        settle();
        assertThat(updates).isEmpty();
        pass(Duration.ofSeconds(11));
        heardAllBut(WatchedKind.INGRESS);
        await().until(() -> findings(Reason.STATE_STALE).size() == 1);
        assertThat(removed()).isEmpty();
        await().untilAsserted(() ->
                assertThat(source.sinceLastLook().orElseThrow())
                        .isGreaterThan(Duration.ofHours(3)));
        cluster.contact(refused, Contact.NONE);
        cluster.feed(refused).list(ingress("a"));
        await().until(() -> findings(Reason.STATE_STALE).isEmpty());
        await().untilAsserted(() ->
                assertThat(source.sinceLastLook().orElseThrow()).isLessThan(Duration.ofHours(1)));
    }

    private void listOthers() {
        for (WatchedKind<?> kind :
                List.of(
                        WatchedKind.SERVICE,
                        WatchedKind.ENDPOINT_SLICE,
                        WatchedKind.NAMESPACE,
                        WatchedKind.INGRESS_CLASS)) {
            cluster.feed(kind).list();
        }
        var secrets =
                new Watched<>(
                        WatchedKind.SECRET, WatchScope.EVERYWHERE.withType("kubernetes.io/tls"));
        if (cluster.isOpen(secrets)) {
            cluster.feed(secrets).list();
        }
    }

    private List<ObjectRef> removed() {
        return changes().stream()
                .filter(change -> change.now().isEmpty())
                .map(ResourceChange::ref)
                .toList();
    }

    private static Set<ObjectRef> refs(String kind, String... names) {
        return Arrays.stream(names)
                .map(name -> new ObjectRef(kind, "default", name))
                .collect(Collectors.toSet());
    }

    // Parameters of classes

    private static final ObjectRef TUNING = new ObjectRef("ConfigMap", "edge", "tuning");

    private static Watched<?> watchOf(ObjectRef configMap) {
        return new Watched<>(
                WatchedKind.CONFIG_MAP, WatchScope.of(configMap.namespace(), configMap.name()));
    }

    private FakeCluster.FakeFeed awaitWatch(ObjectRef configMap) {
        await().until(() -> cluster.isOpen(watchOf(configMap)));
        return cluster.feed(watchOf(configMap));
    }

    private static Resource configMap(String key, String value) {
        return Resource.OfConfigMap.of(
                TUNING, new ConfigMapBuilder().addToData(key, value).build(), Origin.API_SERVER);
    }

    private static Resource ingressClass(String name, String controller, String parameters) {
        var spec = new IngressClassBuilder().withNewSpec().withController(controller);
        if (!parameters.isEmpty()) {
            spec.withNewParameters()
                    .withKind("ConfigMap")
                    .withScope("Namespace")
                    .withNamespace("edge")
                    .withName(parameters)
                    .endParameters();
        }
        return new Resource.OfIngressClass(
                new ObjectRef("IngressClass", "", name), spec.endSpec().build(), Origin.API_SERVER);
    }

    private static Resource ours(String name, String parameters) {
        return ingressClass(name, TranslationSettings.CONTROLLER, parameters);
    }

    private void listWithClasses(Resource... classes) {
        for (WatchedKind<?> kind :
                List.of(
                        WatchedKind.INGRESS,
                        WatchedKind.SERVICE,
                        WatchedKind.ENDPOINT_SLICE,
                        WatchedKind.SECRET,
                        WatchedKind.NAMESPACE)) {
            cluster.feed(kind).list();
        }
        cluster.feed(WatchedKind.INGRESS_CLASS).list(classes);
    }

    @Test
    void theParametersOfAClassAreToldWithTheFirstUpdateAndFollowed() {
        open();
        listWithClasses(ours("a", "tuning"), ours("b", "tuning"));
        settle();
        assertThat(updates).isEmpty();
        assertThat(source.waitingFor().orElseThrow()).contains("ConfigMap edge/tuning");
        awaitWatch(TUNING).list(configMap("acme", "true"));
        await().until(() -> updates.size() == 1);
        assertThat(changes()).contains(ResourceChange.put(configMap("acme", "true")));

        cluster.feed(watchOf(TUNING)).put(configMap("acme", "false"));
        awaitChange(ResourceChange.put(configMap("acme", "false")));
        cluster.feed(watchOf(TUNING)).delete(TUNING);
        awaitChange(ResourceChange.remove(TUNING));
    }

    @Test
    void nobodyLooksAtWhatClassesOfOthersName() {
        open();
        listWithClasses(ingressClass("theirs", "k8s.io/ingress-nginx", "tuning"));
        await().until(() -> !updates.isEmpty());
        assertThat(cluster.isOpen(watchOf(TUNING))).isFalse();
    }

    @Test
    void parametersAreWatchedForAsLongAsAClassNamesThem() {
        open();
        listWithClasses(ours("a", ""), ours("b", ""));
        await().until(() -> updates.size() == 1);
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("a", "tuning"));
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("b", "tuning"));
        await().until(() -> cluster.isOpen(watchOf(TUNING)));
        awaitWatch(TUNING).list(configMap("acme", "true"));
        awaitChange(ResourceChange.put(configMap("acme", "true")));

        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("a", "other"));
        settle();
        assertThat(cluster.isOpen(watchOf(TUNING))).isTrue();
        cluster.feed(WatchedKind.INGRESS_CLASS).delete(ours("b", "").ref());
        settle();
        assertThat(cluster.isOpen(watchOf(TUNING))).isTrue(); // nobody knows of the other yet
        awaitWatch(new ObjectRef("ConfigMap", "edge", "other")).list();
        awaitChange(ResourceChange.remove(TUNING));
        assertThat(cluster.isOpen(watchOf(TUNING))).isFalse();
    }

    @Test
    void parametersThatMayNotBeReadKeepNobodyWaitingAndAreSaid() {
        open();
        listWithClasses(ours("a", "tuning"));
        await().until(() -> cluster.isOpen(watchOf(TUNING)));
        refuse(watchOf(TUNING));
        await().until(() -> updates.size() == 1);
        assertThat(changes()).contains(ResourceChange.put(ours("a", "tuning")));
        await().untilAsserted(() ->
                assertThat(findings(Reason.WATCH_LIMITED))
                        .singleElement()
                        .satisfies(finding ->
                                assertThat(finding.message())
                                        .contains("ConfigMap edge/tuning", "not yours")));
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("a", ""));
        await().untilAsserted(() -> assertThat(findings(Reason.WATCH_LIMITED)).isEmpty());
    }

    private void refuse(Watched<?> watched) {
        cluster.contact(
                watched,
                new Contact(
                        false, true, Optional.empty(), Optional.of(new Trouble(403, "not yours"))));
        cluster.feed(watched).fail(403, "not yours");
    }

    /** In between, certificates would be ordered, and browsers redirected, by mistake. */
    @Test
    void aClassIsToldOfWhenItIsKnownWhatItsParametersSay() {
        open();
        listWithClasses(ours("a", "tuning"));
        awaitWatch(TUNING).list(configMap("acme", "true"));
        await().until(() -> updates.size() == 1);
        ObjectRef other = new ObjectRef("ConfigMap", "edge", "other");
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("a", "other"));
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("new", "other"));
        await().until(() -> cluster.isOpen(watchOf(other)));
        settle();
        assertThat(updates).hasSize(1);
        assertThat(cluster.isOpen(watchOf(TUNING))).isTrue();

        Resource found =
                Resource.OfConfigMap.of(
                        other,
                        new ConfigMapBuilder().addToData("acme", "false").build(),
                        Origin.API_SERVER);
        awaitWatch(other).list(found);
        awaitChange(ResourceChange.remove(TUNING));
        assertThat(changes())
                .containsSubsequence(
                        ResourceChange.put(found),
                        ResourceChange.put(ours("a", "other")),
                        ResourceChange.remove(TUNING))
                .contains(ResourceChange.put(ours("new", "other")));
        assertThat(cluster.isOpen(watchOf(TUNING))).isFalse();
    }

    @Test
    void aClassWhoseParametersMayNotBeReadIsToldOfWithoutThemAfterAWhile() {
        open();
        listWithClasses();
        await().until(() -> updates.size() == 1);
        cluster.feed(WatchedKind.INGRESS_CLASS).put(ours("a", "tuning"));
        await().until(() -> cluster.isOpen(watchOf(TUNING)));
        refuse(watchOf(TUNING)); // a token is being renewed, a Role is not known everywhere yet
        settle();
        assertThat(changes()).doesNotContain(ResourceChange.put(ours("a", "tuning")));
        pass(Duration.ofSeconds(10));
        awaitChange(ResourceChange.put(ours("a", "tuning")));

        awaitWatch(TUNING).list(configMap("acme", "true"));
        awaitChange(ResourceChange.put(configMap("acme", "true")));
    }

    @Test
    void aClassThatIsGoneIsToldBeforeItsParameters() {
        open();
        listWithClasses(ours("a", "tuning"));
        awaitWatch(TUNING).list(configMap("acme", "true"));
        await().until(() -> updates.size() == 1);
        cluster.feed(WatchedKind.INGRESS_CLASS).delete(ours("a", "").ref());
        awaitChange(ResourceChange.remove(TUNING));
        assertThat(changes())
                .containsSubsequence(
                        ResourceChange.remove(ours("a", "").ref()), ResourceChange.remove(TUNING));
    }

    @Test
    void whatTheApiServerSaysOfAClassCountsMoreThanWhatWasStored() {
        open();
        cluster.feed(WatchedKind.INGRESS_CLASS).list(ours("a", "tuning"));
        await().until(() -> cluster.isOpen(watchOf(TUNING)));
        awaitWatch(TUNING).list(configMap("acme", "true"));
        source.expect(List.of(ours("a", "")), Duration.ZERO);
        settle();
        assertThat(cluster.isOpen(watchOf(TUNING))).isTrue();
        cluster.feed(WatchedKind.INGRESS).list();
        cluster.feed(WatchedKind.SERVICE).list();
        cluster.feed(WatchedKind.ENDPOINT_SLICE).list();
        cluster.feed(WatchedKind.SECRET).list();
        cluster.feed(WatchedKind.NAMESPACE).list();
        await().until(() -> updates.size() == 1);
        assertThat(changes()).contains(ResourceChange.put(configMap("acme", "true")));
        assertThat(removed()).doesNotContain(TUNING);
    }

    /** Somebody took one right away: what is served is no older for that. */
    @Test
    void parametersThatMayNotBeReadAnyMoreDoNotCountAsSilence() {
        open();
        listWithClasses(ours("a", "tuning"));
        awaitWatch(TUNING).list(configMap("acme", "true"));
        await().until(() -> updates.size() == 1);
        refuse(watchOf(TUNING));
        pass(Duration.ofHours(1));
        cluster.open().stream()
                .filter(watched -> !watched.equals(watchOf(TUNING)))
                .forEach(watched -> cluster.feed(watched).relistWithout());
        await().untilAsserted(() ->
                assertThat(source.sinceLastLook().orElseThrow()).isLessThan(Duration.ofMinutes(1)));
        assertThat(removed()).doesNotContain(TUNING);
    }

    @Test
    void storedParametersStayUntilTheirOwnListTells() {
        open();
        source.expect(List.of(ours("a", "tuning"), configMap("acme", "true")), Duration.ZERO);
        await().until(() -> cluster.isOpen(watchOf(TUNING)));
        listWithClasses(ours("a", "tuning"));
        settle();
        assertThat(updates).isEmpty();
        awaitWatch(TUNING).list(configMap("acme", "false"));
        await().until(() -> !updates.isEmpty());
        assertThat(removed()).doesNotContain(TUNING);
        assertThat(changes()).contains(ResourceChange.put(configMap("acme", "false")));
    }
}
