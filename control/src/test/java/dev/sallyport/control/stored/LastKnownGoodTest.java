package dev.sallyport.control.stored;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.Placeholders;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.control.reconcile.HoldOff;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.ConfigMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One gateway after the other with one file, the real reconciler and a source that is the test. */
@Tag("slow")
class LastKnownGoodTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final Duration SOON = Duration.ofMillis(10);
    private static final Duration NEVER = Duration.ofHours(1);

    @TempDir Path dir;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Instant now = NOW;

    /** The control side of a gateway, and an API server that speaks through {@link #listed}. */
    private final class Gateway implements LastKnownGood.Source, AutoCloseable {
        private final Set<ObjectRef> expected = ConcurrentHashMap.newKeySet();
        private volatile Optional<String> unreachable = Optional.empty();
        private volatile Optional<Duration> sinceHeard;
        private volatile Optional<String> refused;
        final RecordingDataPlane dataPlane = new RecordingDataPlane();
        final Reconciler reconciler =
                new Reconciler(
                        settings(),
                        new HoldOff(Duration.ofMillis(1), 1_000, Duration.ofMillis(10)),
                        (_, _, _) -> {}, // all Secrets are in the list
                        Placeholders.READER,
                        Runnable::run,
                        dataPlane,
                        () -> now);
        final LastKnownGood lastKnownGood;
        private boolean closed;

        Gateway(StoreKey key, Duration interval, Duration patience) {
            this(key, interval, patience, Optional.empty(), Optional.empty());
        }

        /** What it hears of the API server from the start. */
        Gateway(
                StoreKey key,
                Duration interval,
                Duration patience,
                Optional<Duration> sinceHeard,
                Optional<String> refused) {
            this.sinceHeard = sinceHeard;
            this.refused = refused;
            lastKnownGood =
                    new LastKnownGood(
                            new StoreSettings(file(), key, interval, patience),
                            settings(),
                            Runnable::run,
                            this,
                            reconciler::submit,
                            reconciler::state,
                            () -> now,
                            new SecureRandom());
            reconciler.start();
            lastKnownGood.start();
            open.add(this);
        }

        /** The API server's whole list, with what it lacks of what is in service. */
        void listed(Resource... objects) {
            long before = reconciler.state().reconciles();
            List<ResourceChange> changes = new ArrayList<>();
            for (Resource object : objects) {
                changes.add(ResourceChange.put(object));
                expected.remove(object.ref());
            }
            expected.forEach(gone -> changes.add(ResourceChange.remove(gone)));
            expected.clear();
            lastKnownGood.submit(new SourceUpdate(changes, Map.of()));
            await().until(() -> reconciler.state().reconciles() > before);
        }

        @Override
        public Optional<Duration> sinceHeard() {
            return sinceHeard;
        }

        @Override
        public Optional<String> unreachable() {
            return unreachable;
        }

        @Override
        public Optional<String> refused(Duration atLeast) {
            return atLeast.isZero() ? refused : Optional.empty();
        }

        @Override
        public Optional<Duration> sinceLastLook() {
            return Optional.of(Duration.ofSeconds(2));
        }

        @Override
        public void expect(Collection<Resource> inService, Duration age) {
            inService.forEach(resource -> expected.add(resource.ref()));
        }

        void awaitServed() {
            await().until(() -> reconciler.state().published() > 0);
        }

        GatewaySnapshot served() {
            return reconciler.state().snapshot();
        }

        ServedCertificate certificate(String host) {
            return Objects.requireNonNull(served().certificates().find(host))
                    .certificates()
                    .getFirst();
        }

        List<Reason> reasons() {
            return reconciler.state().findings().stream().map(Finding::reason).toList();
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                lastKnownGood.close();
                reconciler.close();
            }
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable gateway : open) {
            gateway.close();
        }
    }

    @Test
    void whatWasServedIsServedAgainWhileTheApiServerIsSilent() {
        runOnce(everything("a", "01"));
        now = NOW.plus(Duration.ofDays(3));
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.served().routes().find("a.example.com", "/")).isNotNull();
        assertThat(next.served().upstreams().size()).isEqualTo(1);
        assertThat(next.certificate("a.example.com").bundle().serial()).isEqualTo("01");
        assertThat(next.reconciler.state().stale()).isTrue();
        assertThat(next.lastKnownGood.report().staleSince()).contains(NOW.minusSeconds(2));
        assertThat(next.reconciler.state().findings())
                .filteredOn(finding -> finding.reason() == Reason.STATE_STALE)
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.object()).isEqualTo(LastKnownGood.REF);
                    assertThat(finding.message()).contains("stored at 2026-05-31T23:59:58Z");
                });
    }

    @Test
    void theSameListChangesNothingButThatItIsFresh() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        GatewaySnapshot stale = next.served();
        next.listed(everything("a", "01"));
        assertThat(next.served()).isSameAs(stale);
        assertThat(next.dataPlane.snapshots()).hasSize(1);
        assertThat(next.reconciler.state().stale()).isFalse();
        assertThat(next.lastKnownGood.report().staleSince()).isEmpty();
        assertThat(next.reasons()).isEmpty();
    }

    @Test
    void whatWasRemovedMeanwhileIsRemovedWithTheFirstListAndWhatIsNewerReplaces() {
        runOnce(both(everything("a", "01"), everything("b", "02")));
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.served().routes().find("b.example.com", "/")).isNotNull();
        next.listed(everything("a", "03"));
        assertThat(next.dataPlane.snapshots()).hasSize(2); // at once, not one after the other
        assertThat(next.served().routes().find("b.example.com", "/")).isNull();
        assertThat(next.served().certificates().find("b.example.com")).isNull();
        assertThat(next.certificate("a.example.com").bundle().serial()).isEqualTo("03");
        assertThat(next.reconciler.state().objects()).containsEntry("Ingress", 1);
    }

    @Test
    void aCertificateOfADeletedSecretStaysAsLongAsItIsReferredToAndNoLonger() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        Resource ingress = States.ingress("a");
        next.listed(States.ingressClass(), ingress, States.service("a"), States.slice("a"));
        ResourceChange noSecret = ResourceChange.remove(new ObjectRef("Secret", "default", "a"));
        next.lastKnownGood.submit(new SourceUpdate(List.of(noSecret), Map.of())); // asked by name
        await().until(() -> next.reasons().equals(List.of(Reason.SECRET_DELETED)));
        assertThat(next.certificate("a.example.com").bundle().serial()).isEqualTo("01");
        next.lastKnownGood.submit(
                new SourceUpdate(List.of(ResourceChange.remove(ingress.ref())), Map.of()));
        await().until(() -> next.reasons().isEmpty());
        next.lastKnownGood.submit(new SourceUpdate(List.of(ResourceChange.put(ingress)), Map.of()));
        await().until(() -> {
            next.lastKnownGood.submit(new SourceUpdate(List.of(noSecret), Map.of()));
            return next.reasons().equals(List.of(Reason.SECRET_MISSING));
        });
        assertThat(next.served().certificates().find("a.example.com")).isNull();
    }

    /** Not the update that was rejected, and its return does not count as a rotation. */
    @Test
    void whatIsStoredIsWhatWasInService() {
        Gateway first = new Gateway(States.key(1), NEVER, NEVER);
        first.listed(everything("a", "01"));
        first.lastKnownGood.submit(
                new SourceUpdate(List.of(ResourceChange.put(secret("a", "garbage"))), Map.of()));
        await().until(() -> first.reasons().contains(Reason.CERTIFICATE_UNREADABLE));
        first.close();
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.certificate("a.example.com").bundle().serial()).isEqualTo("01");
        GatewaySnapshot stale = next.served();
        Resource[] list = everything("a", "01");
        list[list.length - 1] = secret("a", "garbage");
        next.listed(list);
        assertThat(next.served()).isSameAs(stale);
        assertThat(next.reasons()).containsExactly(Reason.CERTIFICATE_UNREADABLE);
    }

    @Test
    void whatABugKeptOutOfServiceIsNotStored() {
        Gateway first = new Gateway(States.key(1), NEVER, NEVER);
        first.listed(everything("a", "01"));
        first.dataPlane.before(_ -> {
            throw new AssertionError("a bug");
        });
        first.listed(everything("poison", "02"));
        assertThat(first.reconciler.state().failures()).isPositive();
        first.close();
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.served().routes().find("a.example.com", "/")).isNotNull();
        assertThat(next.served().routes().find("poison.example.com", "/")).isNull();
    }

    /** The native library is asked only once there is time. */
    @Test
    void whatTheDataPlaneRefusesLaterIsTakenOutOfTheFile() {
        Gateway first = new Gateway(States.key(1), SOON, NEVER);
        first.listed(both(everything("a", "01"), everything("b", "02")));
        await().until(() -> first.lastKnownGood.report().writes() == 1);
        Finding refused =
                Finding.of(
                        Reason.CERTIFICATE_REFUSED,
                        new ObjectRef("Secret", "default", "b"),
                        "refused",
                        "Use another key.");
        first.dataPlane.putOff(snapshot -> {
            HostTable<CertificateSet> without =
                    snapshot.certificates()
                            .hosts()
                            .with(Collections.singletonMap(Hostname.parse("b.example.com"), null));
            return new Applied(
                    snapshot.version(),
                    new CertificateTable(without, Optional.empty()),
                    List.of(refused));
        });
        first.lastKnownGood.submit(
                new SourceUpdate(List.of(), Map.of("a source", List.of()))); // a round
        await().until(() -> first.lastKnownGood.report().writes() == 2);
        first.close();
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.certificate("a.example.com").bundle().serial()).isEqualTo("01");
        assertThat(next.served().certificates().find("b.example.com")).isNull();
    }

    @Test
    void whatNobodyServesIsNotStored() {
        Resource[] other =
                both(
                        everything("a", "01"),
                        both(
                                everything("unused", "02"),
                                new Resource[] {States.ingress("unused", "nginx")}));
        runOnce(other);
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        assertThat(next.reconciler.state().objects())
                .containsEntry("Ingress", 1)
                .containsEntry("Service", 1)
                .containsEntry("EndpointSlice", 1)
                .containsEntry("Secret", 1)
                .containsEntry("IngressClass", 1);
    }

    @Test
    void theParametersOfItsClassAreStoredAndThoseOfNobodyAreNot() {
        Resource stranger =
                Resource.OfConfigMap.of(
                        new ObjectRef("ConfigMap", "edge", "stranger"),
                        new ConfigMap(),
                        Origin.API_SERVER);
        Resource[] classes = {
            States.ingressClassWithParameters(), States.parameters("301"), stranger
        };
        runOnce(both(everything("a", "01"), classes));
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        next.awaitServed();
        VirtualHost host =
                Objects.requireNonNull(
                        next.served().routes().hosts().get(Hostname.parse("a.example.com")));
        assertThat(host.httpsRedirect()).contains(new HttpsRedirect(301, 443));
        assertThat(next.reconciler.state().objects()).containsEntry("ConfigMap", 1);
    }

    @Test
    void theFileIsNotReadWhereTheApiServerAnswers() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), NEVER, NEVER);
        next.listed(everything("b", "02"));
        next.unreachable = Optional.of("too late");
        assertThat(next.served().routes().find("a.example.com", "/")).isNull();
        next.close();
        assertThat(next.served().routes().find("a.example.com", "/")).isNull();
    }

    @Test
    void whoIsToldThatTheApiServerIsGoneWaitsNoLonger() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), NEVER, NEVER);
        next.unreachable = Optional.of("connection refused");
        next.awaitServed();
        assertThat(next.reconciler.state().stale()).isTrue();
    }

    @Test
    void anApiServerThatIsHeardOfIsWaitedFor() {
        runOnce(everything("a", "01"));
        Gateway next =
                new Gateway(
                        States.key(1),
                        NEVER,
                        Duration.ofMillis(300),
                        Optional.of(Duration.ZERO), // it lists one page after the other
                        Optional.empty());
        await().during(Duration.ofMillis(700))
                .until(() -> next.reconciler.state().published() == 0);
        next.sinceHeard = Optional.of(Duration.ofMillis(400)); // and then no more
        next.awaitServed();
        assertThat(next.reconciler.state().stale()).isTrue();
    }

    /**
     * A missing right is no outage: a Pod that is ready without it would replace one that has it.
     */
    @Test
    void whoIsRefusedWaitsUntilTheRightIsGrantedOrTheApiServerIsGone() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), NEVER, NEVER);
        next.refused = Optional.of("the list of secrets (403: forbidden)");
        next.unreachable = Optional.of("connection refused");
        await().during(Duration.ofMillis(400))
                .until(() -> next.reconciler.state().published() == 0);
        next.refused = Optional.empty();
        next.awaitServed();
        assertThat(next.reconciler.state().stale()).isTrue();
    }

    @Test
    void aRefusalIsWaitedForLongerThanAnyPatience() {
        runOnce(everything("a", "01"));
        Gateway next =
                new Gateway(
                        States.key(1),
                        NEVER,
                        Duration.ofMillis(5),
                        Optional.empty(),
                        Optional.of("the list of secrets (403: forbidden)"));
        await().during(Duration.ofMillis(400)) // 15 patiences, and more
                .until(() -> next.reconciler.state().published() == 0);
        next.listed(everything("b", "02"));
        assertThat(next.served().routes().find("a.example.com", "/")).isNull();
    }

    /** Else the first snapshot would wait for news of them. */
    @Test
    void aHostWithoutACertificateDelaysNothing() {
        List<Resource> objects = new ArrayList<>(List.of(everything("a", "01")));
        objects.addAll(States.host("bare"));
        try (var first = new Gateway(States.key(1), NEVER, NEVER)) {
            first.listed(objects.toArray(Resource[]::new));
            ObjectRef missing = new ObjectRef("Secret", "default", "bare");
            first.lastKnownGood.submit(
                    new SourceUpdate(List.of(ResourceChange.remove(missing)), Map.of()));
            await().until(() -> first.reconciler.state().sought() == 0);
        }
        Gateway next = new Gateway(States.key(1), NEVER, SOON);
        await().atMost(Duration.ofSeconds(4)).until(() -> next.reconciler.state().published() > 0);
        assertThat(next.served().routes().find("bare.example.com", "/")).isNotNull();
        assertThat(next.reasons()).containsExactly(Reason.STATE_STALE);
    }

    @Test
    void whatIsStaleIsNotStoredAgain() throws Exception {
        runOnce(everything("a", "01"));
        byte[] before = Files.readAllBytes(file());
        Gateway next = new Gateway(States.key(1), SOON, SOON);
        next.awaitServed();
        now = NOW.plus(Duration.ofDays(1));
        next.close();
        assertThat(Files.readAllBytes(file())).isEqualTo(before);
        assertThat(next.lastKnownGood.report().storedAsOf()).contains(NOW.minusSeconds(2));
    }

    @Test
    void aRefusedFileIsNotServedAndToldUntilItIsReplaced() throws Exception {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(2), SOON, SOON);
        next.unreachable = Optional.of("connection refused");
        next.listed(everything("b", "02"));
        assertThat(next.served().routes().find("a.example.com", "/")).isNull();
        await().until(() -> next.lastKnownGood.report().writes() > 0);
        await().until(() -> next.reasons().isEmpty());
        next.close();
        Gateway last = new Gateway(States.key(2), NEVER, SOON);
        last.awaitServed();
        assertThat(last.certificate("b.example.com").bundle().serial()).isEqualTo("02");
    }

    @Test
    void whatCannotBeWrittenIsToldAndServingGoesOn() throws Exception {
        Gateway gateway = new Gateway(States.key(1), SOON, NEVER);
        Files.createDirectories(file().resolve("a folder in its place"));
        gateway.listed(everything("a", "01"));
        await().until(() -> gateway.reasons().contains(Reason.STORED_STATE_NOT_WRITTEN));
        assertThat(gateway.lastKnownGood.report().failures()).isPositive();
        gateway.listed(everything("b", "02"));
        assertThat(gateway.served().routes().find("b.example.com", "/")).isNotNull();
        deleteFolder();
        await().until(() -> gateway.lastKnownGood.report().writes() > 0);
        await().until(() -> gateway.reasons().isEmpty());
    }

    @Test
    void aBurstOfChangesIsStoredOnce() {
        Gateway gateway = new Gateway(States.key(1), NEVER, NEVER);
        for (int i = 0; i < 20; i++) {
            gateway.listed(everything("a", HexFormat.of().toHexDigits((byte) (i + 1))));
        }
        gateway.close();
        assertThat(gateway.lastKnownGood.report().writes()).isEqualTo(1);
    }

    @Test
    void aStateThatIsConfirmedIsStoredAnewNowAndThen() {
        Gateway gateway = new Gateway(States.key(1), SOON, NEVER);
        gateway.listed(everything("a", "01"));
        await().until(() -> gateway.lastKnownGood.report().writes() == 1);
        await().during(Duration.ofMillis(200))
                .until(() -> gateway.lastKnownGood.report().writes() == 1);
        now = NOW.plus(Duration.ofMinutes(6));
        await().until(() -> gateway.lastKnownGood.report().writes() == 2);
        assertThat(gateway.lastKnownGood.report().storedAsOf()).contains(now.minusSeconds(2));
        now = NOW.minus(Duration.ofDays(400)); // by a clock that was set back
        await().until(() -> gateway.lastKnownGood.report().writes() == 3);
    }

    @Test
    void theFileStaysClosedToOthers() throws Exception {
        runOnce(everything("a", "01"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
    }

    /** An API server that lists, and says nothing of a Secret until serving begins without it. */
    @Test
    void whatIsNotFoundYetDoesNotReplaceWhatIsStored() {
        runOnce(everything("a", "01"));
        Gateway next = new Gateway(States.key(1), SOON, NEVER);
        Resource[] list = everything("a", "01");
        next.listed(Arrays.copyOf(list, list.length - 1));
        assertThat(next.served().routes().find("a.example.com", "/")).isNotNull();
        assertThat(next.reconciler.state().sought()).isEqualTo(1);
        await().during(Duration.ofMillis(300))
                .until(() -> next.lastKnownGood.report().writes() == 0);
        next.listed(list);
        await().until(() -> next.lastKnownGood.report().writes() > 0);
    }

    private void runOnce(Resource... objects) {
        try (var gateway = new Gateway(States.key(1), NEVER, NEVER)) {
            gateway.listed(objects);
        }
        assertThat(file()).isRegularFile();
    }

    private Path file() {
        return dir.resolve("state");
    }

    private void deleteFolder() throws IOException {
        Files.delete(file().resolve("a folder in its place"));
        Files.delete(file());
    }

    private static TranslationSettings settings() {
        return TranslationSettings.forFolder(List.of(), Optional.empty());
    }

    private static Resource[] everything(String name, String serial) {
        List<Resource> objects = new ArrayList<>(States.host(name));
        objects.add(States.ingressClass());
        objects.add(
                secret(
                        name,
                        "ecdsa " + serial + " " + name + ".example.com 2020-01-01 2040-01-01"));
        return objects.toArray(Resource[]::new);
    }

    private static Resource[] both(Resource[] some, Resource[] others) {
        Map<ObjectRef, Resource> all = new LinkedHashMap<>();
        for (Resource object : some) {
            all.put(object.ref(), object);
        }
        for (Resource object : others) {
            all.put(object.ref(), object);
        }
        return all.values().toArray(Resource[]::new);
    }

    private static Resource secret(String name, String contents) {
        return new Resource.OfSecret(
                SecretMaterial.of(
                        new ObjectRef("Secret", "default", name),
                        Optional.empty(),
                        contents.getBytes(StandardCharsets.UTF_8),
                        new byte[0]),
                Origin.API_SERVER);
    }
}
