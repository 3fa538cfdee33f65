package dev.sallyport.control.reconcile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.control.Placeholders;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ReconcilerTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

    private static final AcmeRules EVERY_HOST =
            new AcmeRules(
                    List.of("first"),
                    true,
                    AllowList.EVERYTHING,
                    false,
                    "acme",
                    AcmeRules.GATEWAY,
                    Optional.empty());

    private final AtomicLong looks = new AtomicLong();
    private volatile Instant now = NOW;
    private volatile boolean ticking;
    private final RecordingDataPlane dataPlane = new RecordingDataPlane();
    private final Set<ObjectRef> demanded = ConcurrentHashMap.newKeySet();
    private final Set<ObjectRef> sought = ConcurrentHashMap.newKeySet();
    private volatile Runnable beforeDemand = () -> {};
    private TranslationSettings settings =
            TranslationSettings.forFolder(List.of(), Optional.empty());
    private Reconciler reconciler = reconciler(SecretDemand.NONE);

    private Reconciler reconciler(SecretDemand demand) {
        return new Reconciler(
                settings,
                new HoldOff(Duration.ofMillis(1), 1_000, Duration.ofMillis(10)),
                demand,
                Placeholders.READER,
                Runnable::run,
                dataPlane,
                () -> ticking ? now.plusNanos(looks.incrementAndGet()) : now);
    }

    /** A source that looks for Secrets only when something refers to them. */
    private void lookForSecrets() {
        reconciler =
                reconciler((wanted, unknown, released) -> {
                    beforeDemand.run();
                    demanded.addAll(wanted);
                    sought.addAll(unknown);
                    demanded.removeAll(released);
                    sought.removeAll(released);
                });
        reconciler.start();
    }

    @AfterEach
    void close() {
        reconciler.close();
    }

    @Test
    void nothingIsAppliedBeforeTheSourcesAreRead() throws Exception {
        reconciler.start();
        assertThat(reconciler.firstApplied()).isNotDone();
        reconciler.submit(new SourceUpdate(List.of(), Map.of()));
        assertThat(reconciler.firstApplied().get(10, TimeUnit.SECONDS).version()).isEqualTo(1);
        assertThat(reconciler.state().lastApplied()).contains(NOW);
    }

    @Test
    void whatChangesNothingIsNotPublished() throws Exception {
        start(ingress("a"));
        submit(ingress("a"));
        await().until(() -> reconciler.state().reconciles() == 2);
        assertThat(reconciler.state().published()).isEqualTo(1);
        assertThat(dataPlane.snapshots()).hasSize(1);
    }

    @Test
    void whatTheDataPlanePutOffIsDoneInIdleTimeAndReported() throws Exception {
        Finding late =
                Finding.of(
                        Reason.CERTIFICATE_REFUSED,
                        new ObjectRef("Secret", "default", "s"),
                        "refused",
                        "Issue another.");
        dataPlane.putOff(snapshot -> Applied.whole(snapshot, List.of()));
        dataPlane.putOff(snapshot -> Applied.whole(snapshot, List.of(late)));
        start(ingress("a"));

        await().until(() -> reconciler.state().findings().contains(late));
        assertThat(reconciler.state().applied().version()).isEqualTo(1);
        assertThat(reconciler.state().published()).isEqualTo(1);
    }

    @Test
    void whatTheDataPlanePutOffIsDoneUnderConstantChangeToo() throws Exception {
        dataPlane.before(snapshot -> submit(secret("a", "0" + (snapshot.version() + 1))));
        for (int i = 0; i < 10; i++) {
            dataPlane.putOff(snapshot -> Applied.whole(snapshot, List.of()));
        }
        start(ingress("a"), secret("a", "01"));

        await().until(dataPlane::isDone);
    }

    @Test
    void aBugInWhatWasPutOffDoesNotEndTheThread() throws Exception {
        dataPlane.putOff(_ -> {
            throw new IllegalStateException("a bug, on purpose");
        });
        start(ingress("a"));
        await().until(dataPlane::isDone);
        submit(ingress("b"));
        await().until(() -> reconciler.state().published() == 2);
    }

    @Test
    void objectsAreCountedByKind() throws Exception {
        start(ingress("a"), ingress("b"), secret("s", "01"));
        assertThat(reconciler.state().objects())
                .containsEntry("Ingress", 2)
                .containsEntry("Secret", 1);
        reconciler.submit(
                new SourceUpdate(
                        List.of(ResourceChange.remove(new ObjectRef("Ingress", "default", "b"))),
                        Map.of()));
        await().until(() -> Integer.valueOf(1).equals(reconciler.state().objects().get("Ingress")));
    }

    @Test
    void whatASourceSaysIsAmongTheFindingsUntilTakenBack() throws Exception {
        start();
        Finding finding =
                Finding.of(
                        Reason.FILE_UNREADABLE, new ObjectRef("File", "", "x"), "bad", "Mend it.");
        reconciler.submit(new SourceUpdate(List.of(), Map.of("x", List.of(finding))));
        await().until(() -> reconciler.state().findings().contains(finding));
        reconciler.submit(new SourceUpdate(List.of(), Map.of("x", List.of())));
        await().until(() -> reconciler.state().findings().isEmpty());
    }

    /** No two looks at a clock show the same time. */
    @Test
    void aClockThatIsSetBackIsNoticedAndNotLookedAtAgainAndAgain() throws Exception {
        ticking = true;
        start(ingress("a"), secret("a", "01"));
        now = Instant.parse("2019-01-01T00:00:00Z"); // the certificate is of 2020
        await().atMost(Duration.ofSeconds(20))
                .until(() ->
                        reconciler.state().findings().stream()
                                .anyMatch(finding ->
                                        finding.reason() == Reason.CERTIFICATE_NOT_YET_VALID));
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("01");
        long before = looks.get();
        await().during(Duration.ofMillis(300)).until(() -> looks.get() - before < 100);
    }

    @Test
    void aBugEndsOneRoundOnlyAndTheNextCatchesUp() throws Exception {
        start(ingress("a"), secret("a", "01"));
        GatewaySnapshot good = dataPlane.last();
        dataPlane.before(_ -> {
            throw new AssertionError("a bug");
        });
        submit(ingress("b"), secret("a", "02"));
        await().until(() -> reconciler.state().failures() > 0);
        assertThat(reconciler.state().snapshot()).isSameAs(good);
        dataPlane.before(_ -> {});
        submit(ingress("c"));
        await().until(() -> dataPlane.last().routes().find("c.example.com", "/") != null);
        assertThat(dataPlane.last().routes().find("b.example.com", "/")).isNotNull();
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("02");
    }

    @Test
    void aRoundThatABugEndedIsTriedAgainThoughNothingChanges() throws Exception {
        start(ingress("a"), secret("a", "01"));
        dataPlane.before(_ -> {
            throw new AssertionError("a bug");
        });
        submit(secret("a", "02"));
        await().until(() -> reconciler.state().failures() > 0);
        dataPlane.before(_ -> {});
        await().until(() -> serial(dataPlane.last(), "a.example.com").equals("02"));
    }

    /** What was removed in the round that failed is removed in the next. */
    @Test
    void aRemovalOutlivesABug() throws Exception {
        start(ingress("a"), ingress("b"), secret("a", "01"));
        dataPlane.before(_ -> {
            throw new AssertionError("a bug");
        });
        reconciler.submit(
                new SourceUpdate(
                        List.of(
                                ResourceChange.remove(secretRef("a")),
                                ResourceChange.remove(ingress("b").ref())),
                        Map.of()));
        await().until(() -> reconciler.state().failures() > 0);
        dataPlane.before(_ -> {});
        await().until(() -> dataPlane.last().routes().find("b.example.com", "/") == null);
        assertThat(reconciler.state().findings())
                .extracting(Finding::reason)
                .contains(Reason.SECRET_DELETED);
    }

    @Test
    void evenTheFirstRoundIsTriedAgain() throws Exception {
        dataPlane.before(_ -> {
            dataPlane.before(_ -> {});
            throw new AssertionError("a bug");
        });
        start(ingress("a"), secret("a", "01"));
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("01");
        assertThat(reconciler.state().failures()).isEqualTo(1);
    }

    @Test
    void whatIsServedIsTheSecretsVersionSinceItWasApplied() throws Exception {
        dataPlane.before(_ -> now = now.plusSeconds(1));
        start(ingress("a"), secret("a", "01", "100"));
        assertThat(provenance("a"))
                .isEqualTo(new ServedTruth.Provenance(secretRef("a"), "100", NOW.plusSeconds(1)));
        submit(secret("a", "02", "101"));
        await().until(() -> dataPlane.snapshots().size() == 2);
        await().untilAsserted(() ->
                assertThat(provenance("a"))
                        .isEqualTo(
                                new ServedTruth.Provenance(
                                        secretRef("a"), "101", NOW.plusSeconds(2))));
        assertThat(reconciler.state().truth().provenance().size()).isEqualTo(1);
        assertThat(reconciler.state().truth().unserved().isEmpty()).isTrue();
    }

    @Test
    void aNewVersionWithTheSameContentsIsServedWithoutASnapshot() throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        Object bundle = bundle("a");
        now = NOW.plusSeconds(5);
        submit(secret("a", "01", "105"));
        await().until(() -> provenance("a").resourceVersion().equals("105"));
        assertThat(provenance("a").firstServed()).isEqualTo(NOW);
        assertThat(bundle("a")).isSameAs(bundle);
        assertThat(dataPlane.snapshots()).hasSize(1);
    }

    @Test
    void aSecretWhoseContentsAreNotServedIsToldUntilTheyAre() throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        submit(unreadable("a", "101"));
        await().until(() -> unserved("a") != null);
        assertThat(unserved("a"))
                .isEqualTo(new ServedTruth.Unserved("101", Reason.CERTIFICATE_UNREADABLE));
        assertThat(provenance("a").resourceVersion()).isEqualTo("100");
        submit(secret("a", "02", "102"));
        await().until(() -> unserved("a") == null);
        assertThat(provenance("a").resourceVersion()).isEqualTo("102");
        reconciler.submit(
                new SourceUpdate(List.of(ResourceChange.remove(secretRef("a"))), Map.of()));
        await().until(() -> unserved("a") != null);
        assertThat(unserved("a")).isEqualTo(new ServedTruth.Unserved("", Reason.SECRET_DELETED));
    }

    @Test
    void aTemporaryCertificateThatDoesNotTakeThePlaceOfARealOneIsToldNotToBeServed()
            throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        submit(holding("a", "temporary-ecdsa 02 a.example.com", "101"));
        await().until(() -> unserved("a") != null);
        assertThat(unserved("a"))
                .isEqualTo(new ServedTruth.Unserved("101", Reason.CERTIFICATE_TEMPORARY));
        assertThat(provenance("a").resourceVersion()).isEqualTo("100");
    }

    @Test
    void whatTheDataPlaneRefusesIsNotServed() throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        GatewaySnapshot good = dataPlane.last();
        Finding refused =
                Finding.of(Reason.CERTIFICATE_REFUSED, secretRef("a"), "refused", "Issue another.");
        dataPlane.answer(
                snapshot -> new Applied(snapshot.version(), good.certificates(), List.of(refused)));
        submit(secret("a", "02", "101"));
        await().until(() -> unserved("a") != null);
        assertThat(unserved("a"))
                .isEqualTo(new ServedTruth.Unserved("101", Reason.CERTIFICATE_REFUSED));
        assertThat(provenance("a").resourceVersion()).isEqualTo("100");
        dataPlane.answer(snapshot -> Applied.whole(snapshot, List.of()));
        submit(secret("a", "03", "102"));
        await().until(() -> unserved("a") == null);
        assertThat(provenance("a").resourceVersion()).isEqualTo("102");
    }

    @Test
    void aCertificateThatGoesFromOneHostToAnotherWasFirstServedAtTheFirst() throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        now = NOW.plusSeconds(5);
        reconciler.submit(
                new SourceUpdate(
                        List.of(
                                ResourceChange.remove(new ObjectRef("Ingress", "default", "a")),
                                ResourceChange.put(ingress("b", "a"))),
                        Map.of()));
        await().until(() -> dataPlane.last().certificates().find("b.example.com") != null);
        await().until(() -> reconciler.state().published() == 2);
        assertThat(provenance("b").firstServed()).isEqualTo(NOW);
        assertThat(reconciler.state().truth().provenance().size()).isEqualTo(1);
    }

    @Test
    void anObjectThatAnApiServerHoldsHasAUid() throws Exception {
        start(ingress("a"), secret("a", "01", "100"));
        assertThat(reconciler.state().uid(secretRef("a"))).contains("uid-a");
        assertThat(reconciler.state().uid(new ObjectRef("Ingress", "default", "a"))).isEmpty();
        reconciler.submit(
                new SourceUpdate(List.of(ResourceChange.remove(secretRef("a"))), Map.of()));
        await().until(() -> reconciler.state().uid(secretRef("a")).isEmpty());
    }

    @Test
    void whoeverAskedIsWokenAfterEachChangeOfTheState() throws Exception {
        var versions = new CopyOnWriteArrayList<Long>();
        reconciler.whenChanged(() -> versions.add(reconciler.state().snapshot().version()));
        start(ingress("a"));
        submit(ingress("b"));
        await().until(() -> versions.equals(List.of(1L, 2L)));
    }

    @Test
    void changesThatComeTogetherAreOneSnapshot() throws Exception {
        start(ingress("a"));
        submit(ingress("b"), secret("b", "02"));
        await().until(() -> dataPlane.snapshots().size() == 2);
        assertThat(serial(dataPlane.last(), "b.example.com")).isEqualTo("02");
        assertThat(dataPlane.last().routes().find("b.example.com", "/")).isNotNull();
    }

    // Secrets that are looked for

    @Test
    void theFirstSnapshotWaitsForNewsOfEachSecret() throws Exception {
        lookForSecrets();
        submit(ingress("a"), ingress("b"));
        await().until(() -> demanded.equals(Set.of(secretRef("a"), secretRef("b"))));
        submit(secret("a", "01"));
        await().until(() ->
                reconciler
                        .waitingFor()
                        .equals(Optional.of("news of 1 Secrets that are referred to")));
        assertThat(dataPlane.snapshots()).isEmpty();

        submit(secret("b", "02"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        assertThat(dataPlane.snapshots()).hasSize(1);
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("01");
        assertThat(serial(dataPlane.last(), "b.example.com")).isEqualTo("02");
        assertThat(reconciler.waitingFor()).isEmpty();
    }

    @Test
    void aSecretThatDoesNotExistIsNewsToo() throws Exception {
        lookForSecrets();
        submit(ingress("a"));
        await().until(() -> demanded.contains(secretRef("a")));
        remove(secretRef("a"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        assertThat(reasons()).contains(Reason.SECRET_MISSING);
    }

    @Test
    void ofASecretThatMayNotBeReadNothingIsSaid() throws Exception {
        lookForSecrets();
        submit(ingress("a"));
        await().until(() -> demanded.contains(secretRef("a")));
        reconciler.submit(new SourceUpdate(List.of(), Map.of(), Set.of(secretRef("a"))));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        assertThat(reasons()).doesNotContain(Reason.SECRET_MISSING);
        submit(secret("a", "01"));
        await().until(() -> serial(dataPlane.last(), "a.example.com").equals("01"));
    }

    /** Who does not know whether the Secret serves the host well does not order another. */
    @Test
    void nobodyIsAskedForACertificateBeforeItIsKnownThatNoSecretServesTheHost() throws Exception {
        settings = settings.with(EVERY_HOST);
        lookForSecrets();
        submit();
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        submit(ingress("a"), ingress("b"), ingress("c"));
        await().until(() -> dataPlane.last().routes().find("c.example.com", "/") != null);
        assertThat(asking()).isEmpty();
        submit(secret("a", "01"));
        await().until(() -> asking().equals(Set.of("a.example.com")));
        remove(secretRef("b"));
        await().until(() -> asking().equals(Set.of("a.example.com", "b.example.com")));
        reconciler.submit(new SourceUpdate(List.of(), Map.of(), Set.of(secretRef("c"))));
        await().until(() -> asking().size() == 3); // nobody will ever know
    }

    @Tag("slow")
    @Test
    void aSourceThatSaysNothingIsNotWaitedForForEver() throws Exception {
        lookForSecrets();
        submit(ingress("a"));
        reconciler.firstApplied().get(20, TimeUnit.SECONDS);
        assertThat(dataPlane.last().routes().find("a.example.com", "/")).isNotNull();
        assertThat(reasons()).doesNotContain(Reason.SECRET_MISSING);
        remove(secretRef("a"));
        await().until(() -> reasons().contains(Reason.SECRET_MISSING));
    }

    @Test
    void nothingIsSaidOfASecretThatIsStillLookedFor() throws Exception {
        lookForSecrets();
        submit();
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        submit(ingress("a"));
        await().until(() -> dataPlane.last().routes().find("a.example.com", "/") != null);
        assertThat(reasons()).doesNotContain(Reason.SECRET_MISSING);
        remove(secretRef("a"));
        await().until(() -> reasons().contains(Reason.SECRET_MISSING));
    }

    @Test
    void aSecretThatNothingRefersToAnyMoreIsReleased() throws Exception {
        lookForSecrets();
        submit(ingress("a"), secret("a", "01"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        assertThat(demanded).contains(secretRef("a"));
        remove(new ObjectRef("Ingress", "default", "a"));
        await().until(demanded::isEmpty);
        remove(secretRef("a")); // the source does not watch it any more
        submit(ingress("a"));
        await().until(() -> demanded.contains(secretRef("a")));
        assertThat(reasons()).doesNotContain(Reason.SECRET_MISSING, Reason.SECRET_DELETED);
    }

    // Secrets that nothing refers to

    @Test
    void aSecretThatNothingRefersToIsForgottenWithItsKey() throws Exception {
        lookForSecrets();
        Resource.OfSecret used = secret("a", "01", "100");
        Resource.OfSecret unused = secret("b", "02", "101");
        submit(ingress("a"), used, unused);
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        assertThat(unused.material().holdsPem()).isFalse();
        assertThat(used.material().holdsPem()).as("it was parsed").isFalse();
        assertThat(reconciler.state().resources().get(secretRef("b"))).isNull();
        assertThat(reconciler.state().objects()).containsEntry("Secret", 1);
        assertThat(demanded).containsExactly(secretRef("a"));
        assertThat(sought).isEmpty();
    }

    @Test
    void aSecretThatWasForgottenIsSoughtWhenSomethingRefersToIt() throws Exception {
        lookForSecrets();
        submit(ingress("a"), secret("a", "01", "100"), secret("b", "02", "101"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        submit(ingress("b"));
        await().until(() -> sought.equals(Set.of(secretRef("b"))));
        await().until(() -> dataPlane.last().routes().find("b.example.com", "/") != null);
        assertThat(reasons()).doesNotContain(Reason.SECRET_MISSING);
        submit(secret("b", "02", "101"));
        await().until(() -> serial(dataPlane.last(), "b.example.com").equals("02"));
        await().until(() -> Integer.valueOf(2).equals(reconciler.state().objects().get("Secret")));
    }

    @Test
    void aSecretThatComesInTheRoundInWhichSomethingRefersToItIsKnown() throws Exception {
        lookForSecrets();
        submit();
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        submit(secret("a", "01", "100"));
        await().until(() -> reconciler.state().reconciles() == 2);
        submit(ingress("a"), secret("a", "02", "101"));
        await().until(() -> dataPlane.snapshots().size() == 2);
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("02");
        assertThat(demanded).containsExactly(secretRef("a"));
        assertThat(sought).isEmpty();
    }

    /** An Ingress is deleted and made again, or its host goes to another in two steps. */
    @Test
    void aSecretThatIsReleasedIsKeptUpToDateAndServedAtOnceWhenItIsWantedAgain() throws Exception {
        lookForSecrets();
        submit(ingress("a"), secret("a", "01", "100"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        remove(new ObjectRef("Ingress", "default", "a"));
        await().until(demanded::isEmpty);
        Resource.OfSecret rotated = secret("a", "02", "101");
        submit(rotated);
        await().until(() -> reconciler.state().uid(secretRef("a")).isPresent());
        await().until(() -> !rotated.material().holdsPem());
        assertThat(reconciler.state().objects()).containsEntry("Secret", 1);

        submit(ingress("a"));
        await().until(() -> dataPlane.last().routes().find("a.example.com", "/") != null);
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("02");
        assertThat(sought).isEmpty();
    }

    @Test
    void aHostKeepsItsCertificateUntilTheSecretIsFoundThatIsToReplaceIt() throws Exception {
        lookForSecrets();
        submit(ingress("a"), secret("a", "01", "100"));
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        submit(ingress("a", "other"));
        await().until(() -> sought.equals(Set.of(secretRef("other"))));
        await().until(() -> reconciler.state().reconciles() == 2);
        assertThat(serial(dataPlane.last(), "a.example.com")).isEqualTo("01");
        submit(holding("other", "ecdsa 09 a.example.com", "102"));
        await().until(() -> serial(dataPlane.last(), "a.example.com").equals("09"));
        assertThat(dataPlane.snapshots())
                .allMatch(snapshot -> !serial(snapshot, "a.example.com").isEmpty());

        submit(ingress("a", "missing"));
        await().until(() -> sought.contains(secretRef("missing")));
        remove(secretRef("missing"));
        await().until(() -> serial(dataPlane.last(), "a.example.com").isEmpty());
        assertThat(reasons()).contains(Reason.SECRET_MISSING);
    }

    @Test
    void aBugInBetweenNeitherForgetsASecretThatIsReferredToNorKeepsOneThatIsNot() throws Exception {
        lookForSecrets();
        submit();
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        beforeDemand =
                () -> {
                    throw new AssertionError("a bug, on purpose");
                };
        Resource.OfSecret unused = secret("b", "02", "101");
        submit(ingress("a"), secret("a", "01", "100"), unused);
        await().until(() -> reconciler.state().failures() >= 1);
        beforeDemand = () -> {};
        submit(ingress("c"));
        await().until(() -> demanded.equals(Set.of(secretRef("a"), secretRef("c"))));
        await().until(() -> serial(dataPlane.last(), "a.example.com").equals("01"));
        assertThat(unused.material().holdsPem()).isFalse();
        assertThat(reconciler.state().objects()).containsEntry("Secret", 1);
        assertThat(sought).containsExactly(secretRef("c"));
    }

    @Test
    void ofASourceThatTellsOfEverythingOnceNothingIsForgotten() throws Exception {
        Resource.OfSecret unused = secret("b", "02");
        start(ingress("a"), secret("a", "01"), unused);
        assertThat(unused.material().holdsPem()).isTrue();
        submit(ingress("b"));
        await().until(() -> dataPlane.snapshots().size() == 2);
        assertThat(serial(dataPlane.last(), "b.example.com")).isEqualTo("02");
    }

    private void remove(ObjectRef ref) {
        reconciler.submit(new SourceUpdate(List.of(ResourceChange.remove(ref)), Map.of()));
    }

    private static ObjectRef secretRef(String name) {
        return new ObjectRef("Secret", "default", name);
    }

    private List<Reason> reasons() {
        return reconciler.state().findings().stream().map(Finding::reason).toList();
    }

    private void start(Resource... resources) throws Exception {
        reconciler.start();
        submit(resources);
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
    }

    private Object bundle(String name) {
        var set = reconciler.state().applied().certificates().find(name + ".example.com");
        return set == null ? "none" : set.certificates().getFirst().bundle();
    }

    private ServedTruth.Provenance provenance(String name) {
        return Objects.requireNonNull(
                reconciler.state().truth().provenance().get(bundle(name)), name);
    }

    private ServedTruth.@Nullable Unserved unserved(String name) {
        return reconciler.state().truth().unserved().get(secretRef(name));
    }

    private void submit(Resource... resources) {
        reconciler.submit(
                new SourceUpdate(
                        Arrays.stream(resources).map(ResourceChange::put).toList(), Map.of()));
    }

    private static String serial(GatewaySnapshot snapshot, String host) {
        var set = snapshot.certificates().find(host);
        return set == null ? "" : set.certificates().getFirst().bundle().serial();
    }

    /** The hosts that are to have certificates by ACME, as far as that is known. */
    private Set<String> asking() {
        Set<String> hosts = new HashSet<>();
        reconciler
                .state()
                .acmeHosts()
                .forEach((host, asking) -> {
                    if (asking.prospect() != Prospect.AWAITED) {
                        hosts.add(host.text());
                    }
                });
        return hosts;
    }

    private static Resource ingress(String name) {
        return ingress(name, name);
    }

    private static Resource ingress(String name, String secret) {
        String host = name + ".example.com";
        return new Resource.OfIngress(
                new ObjectRef("Ingress", "default", name),
                new IngressBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace("default")
                        .endMetadata()
                        .withNewSpec()
                        .addNewTl()
                        .withHosts(host)
                        .withSecretName(secret)
                        .endTl()
                        .addNewRule()
                        .withHost(host)
                        .withNewHttp()
                        .addNewPath()
                        .withPath("/")
                        .withPathType("Prefix")
                        .withNewBackend()
                        .withNewService()
                        .withName("web")
                        .withNewPort()
                        .withNumber(80)
                        .endPort()
                        .endService()
                        .endBackend()
                        .endPath()
                        .endHttp()
                        .endRule()
                        .endSpec()
                        .build(),
                Origin.API_SERVER);
    }

    private static Resource.OfSecret secret(String name, String serial) {
        return new Resource.OfSecret(
                SecretMaterial.of(
                        new ObjectRef("Secret", "default", name),
                        Optional.empty(),
                        ("ecdsa " + serial + " " + name + ".example.com")
                                .getBytes(StandardCharsets.UTF_8),
                        "k".getBytes(StandardCharsets.UTF_8)),
                Origin.API_SERVER);
    }

    /** As an API server has it. */
    private static Resource.OfSecret secret(String name, String serial, String version) {
        return holding(name, "ecdsa " + serial + " " + name + ".example.com", version);
    }

    private static Resource.OfSecret unreadable(String name, String version) {
        return holding(name, "garbage", version);
    }

    private static Resource.OfSecret holding(String name, String certificate, String version) {
        var secret =
                new SecretBuilder()
                        .withNewMetadata()
                        .withUid("uid-" + name)
                        .withResourceVersion(version)
                        .endMetadata()
                        .addToStringData("tls.crt", certificate)
                        .addToStringData("tls.key", "k")
                        .build();
        return switch (SecretMaterial.of(secretRef(name), Optional.empty(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) ->
                    new Resource.OfSecret(material, Origin.API_SERVER);
            case Parsed.Rejected<SecretMaterial> rejected ->
                    throw new AssertionError(rejected.toString());
        };
    }
}
