package dev.sallyport.control.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.Placeholders;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.control.reconcile.HoldOff;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.reconcile.SecretDemand;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** From objects through a real reconciler to what is told, but for the API server. */
class EventPublisherTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final EventPace PACE =
            new EventPace(
                    Duration.ofMillis(20),
                    10,
                    Duration.ofMinutes(1),
                    20,
                    1_000,
                    100,
                    1_000,
                    Duration.ofSeconds(2),
                    Duration.ofMillis(20),
                    Duration.ofMillis(200));

    private final RecordingDataPlane dataPlane = new RecordingDataPlane();
    private final Reconciler reconciler =
            new Reconciler(
                    TranslationSettings.forFolder(List.of(), Optional.empty()),
                    new HoldOff(Duration.ofMillis(1), 1_000, Duration.ofMillis(10)),
                    SecretDemand.NONE,
                    Placeholders.READER,
                    Runnable::run,
                    dataPlane,
                    InstantSource.fixed(NOW));
    private volatile boolean leads = true;
    private volatile int failing;
    private final List<Statement> told = new CopyOnWriteArrayList<>();
    private final List<Statement> refused = new CopyOnWriteArrayList<>();
    private final EventPublisher publisher =
            new EventPublisher(
                    reconciler::state,
                    () -> leads,
                    this::tell,
                    PACE,
                    System::nanoTime,
                    new Random(1));

    @AfterEach
    void close() {
        publisher.close();
        reconciler.close();
    }

    @Test
    void aMissingSecretIsToldOfItsIngressAndWhatIsServedThenOfTheSecret() throws Exception {
        start(ingress("shop"));
        await().until(() -> reasons().contains("SecretMissing"));
        assertThat(told)
                .filteredOn(one -> one.reason().equals("SecretMissing"))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.object()).isEqualTo(new ObjectRef("Ingress", "default", "shop"));
                    assertThat(one.uid()).isEqualTo("uid-shop");
                    assertThat(one.warning()).isTrue();
                });
        submit(secret("shop", "01", "100"));
        await().until(() -> reasons().contains("CertificateServed"));
        assertThat(told)
                .filteredOn(one -> one.reason().equals("CertificateServed"))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.object()).isEqualTo(new ObjectRef("Secret", "default", "shop"));
                    assertThat(one.warning()).isFalse();
                    assertThat(one.note())
                            .isEqualTo(
                                    "serial 01 (shop.example.com, valid until 2040-01-01T00:00:00Z) from"
                                            + " resourceVersion 100 is served since 2026-06-01T00:00:00Z");
                });
        await().until(() -> reasons().contains("SecretMissingResolved"));
    }

    @Test
    void whatWasDoneForAKnownObjectIsTold() throws Exception {
        start(ingress("shop"));
        publisher.tell(
                new News(new ObjectRef("Ingress", "default", "none"), "a", "AcmeIssued", "?"));
        publisher.tell(
                new News(new ObjectRef("Ingress", "default", "shop"), "a", "AcmeIssued", "it is"));
        await().until(() -> reasons().contains("AcmeIssued"));
        assertThat(told)
                .filteredOn(one -> one.reason().equals("AcmeIssued"))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.uid()).isEqualTo("uid-shop");
                    assertThat(one.warning()).isFalse();
                    assertThat(one.note()).isEqualTo("it is");
                });
    }

    @Test
    void whatIsServedAtTheStartIsNoNews() throws Exception {
        begin(ingress("shop"), secret("shop", "01", "100"));
        submit(secret("shop", "01", "101")); // labelled, say
        await().during(Duration.ofMillis(200))
                .until(() -> !reasons().contains("CertificateServed"));
        submit(secret("shop", "02", "102"));
        await().until(() -> reasons().contains("CertificateServed"));
        assertThat(told.getLast().note()).startsWith("serial 02").contains("resourceVersion 102");
    }

    @Test
    void aBadUpdateIsToldOfTheSecretAndADeletedOneUnderTheUidItHad() throws Exception {
        begin(ingress("shop"), secret("shop", "01", "100"));
        submit(holding("shop", "garbage", "101"));
        await().until(() -> reasons().contains("CertificateUnreadable"));
        reconciler.submit(
                new SourceUpdate(
                        List.of(ResourceChange.remove(new ObjectRef("Secret", "default", "shop"))),
                        Map.of()));
        await().until(() -> reasons().contains("SecretDeleted"));
        assertThat(told)
                .filteredOn(one -> one.reason().equals("SecretDeleted"))
                .singleElement()
                .satisfies(one -> assertThat(one.uid()).isEqualTo("secret-uid-shop"));
        await().during(Duration.ofMillis(200))
                .until(() -> !reasons().contains("CertificateUnreadableResolved"));
    }

    @Test
    void whatTheDataPlaneRefusesIsTold() throws Exception {
        ObjectRef object = new ObjectRef("Secret", "default", "shop");
        Finding refusedByTls =
                Finding.of(Reason.CERTIFICATE_REFUSED, object, "refused", "Mend it.");
        begin(ingress("shop"), secret("shop", "01", "100"));
        dataPlane.answer(snapshot -> Applied.whole(snapshot, List.of(refusedByTls)));
        submit(secret("shop", "02", "101"));
        await().until(() -> reasons().contains("CertificateRefused"));
        dataPlane.answer(snapshot -> Applied.whole(snapshot, List.of()));
        submit(secret("shop", "03", "102"));
        await().until(() -> !publisher.counts().told().isEmpty() && told.size() >= 3);
        assertThat(reasons()).doesNotContain("CertificateRefusedResolved");
    }

    @Test
    void nobodyTellsWhoDoesNotLead() throws Exception {
        leads = false;
        start(ingress("shop"));
        await().during(Duration.ofMillis(200)).until(told::isEmpty);
        leads = true;
        publisher.wake();
        await().until(() -> reasons().contains("SecretMissing"));
    }

    @Test
    void whatNoApiServerHoldsIsNotTold() throws Exception {
        start();
        Finding file =
                Finding.of(
                        Reason.FILE_UNREADABLE, new ObjectRef("File", "", "x"), "bad", "Mend it.");
        reconciler.submit(new SourceUpdate(List.of(), Map.of("x", List.of(file))));
        await().until(() -> reconciler.state().findings().contains(file));
        await().during(Duration.ofMillis(200)).until(told::isEmpty);
    }

    @Test
    void anApiServerThatFailsIsToldLater() throws Exception {
        failing = 503;
        start(ingress("shop"));
        await().until(() -> refused.size() >= 2);
        failing = 0;
        await().until(() -> reasons().contains("SecretMissing"));
        assertThat(publisher.counts().dropped()).isZero();
    }

    @Test
    void whatMayNotBeToldIsCountedAndToldOnceItMay() throws Exception {
        failing = 403;
        start(ingress("a"), ingress("b"), ingress("c"));
        await().until(() -> publisher.counts().dropped() >= 2);
        assertThat(told).isEmpty();
        failing = 0;
        // A SecretMissing and a ServiceMissing of each.
        await().until(() -> told.size() == 6);
    }

    /** One question a pause, however much there is to tell. */
    @Test
    void aNamespaceThatRefusesIsAskedOnceInAWhile() throws Exception {
        failing = 403;
        start(ingress("a"), ingress("b"), ingress("c"));
        await().until(() -> refused.size() >= 3);
        assertThat(publisher.counts().dropped()).isBetween(2L, (long) refused.size());
        long began = System.nanoTime();
        int before = refused.size();
        await().until(() -> refused.size() >= before + 3);
        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isGreaterThan(PACE.longestPause().multipliedBy(2));
    }

    @Test
    void whatTheApiServerDoesNotTakeIsNotTriedAgain() throws Exception {
        failing = 422;
        start(ingress("a"));
        await().until(() -> publisher.counts().dropped() == 2);
        assertThat(refused).hasSize(2);
    }

    @Test
    void countsAreByReason() throws Exception {
        start(ingress("a"), ingress("b"));
        await().untilAsserted(() ->
                assertThat(publisher.counts().told())
                        .isEqualTo(Map.of("SecretMissing", 2L, "ServiceMissing", 2L)));
    }

    private boolean tell(Statement statement, boolean first) {
        if (failing != 0) {
            refused.add(statement);
            throw new KubernetesClientException("refused", failing, null);
        }
        told.add(statement);
        return true;
    }

    private List<String> reasons() {
        return told.stream().map(Statement::reason).toList();
    }

    private void start(Resource... resources) throws Exception {
        reconciler.whenChanged(publisher::wake);
        reconciler.start();
        submit(resources);
        reconciler.firstApplied().get(10, TimeUnit.SECONDS);
        publisher.start();
    }

    /** With a finding that is told at once, so that whatever comes afterwards is news. */
    private void begin(Resource... resources) throws Exception {
        start(resources);
        await().until(() -> reasons().contains("ServiceMissing"));
    }

    private void submit(Resource... resources) {
        reconciler.submit(
                new SourceUpdate(
                        Arrays.stream(resources).map(ResourceChange::put).toList(), Map.of()));
    }

    private static Resource ingress(String name) {
        String host = name + ".example.com";
        return new Resource.OfIngress(
                new ObjectRef("Ingress", "default", name),
                new IngressBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace("default")
                        .withUid("uid-" + name)
                        .withResourceVersion("1")
                        .endMetadata()
                        .withNewSpec()
                        .addNewTl()
                        .withHosts(host)
                        .withSecretName(name)
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

    private static Resource.OfSecret secret(String name, String serial, String version) {
        return holding(name, "ecdsa " + serial + " " + name + ".example.com", version);
    }

    private static Resource.OfSecret holding(String name, String certificate, String version) {
        var secret =
                new SecretBuilder()
                        .withNewMetadata()
                        .withUid("secret-uid-" + name)
                        .withResourceVersion(version)
                        .endMetadata()
                        .addToStringData("tls.crt", certificate)
                        .addToStringData("tls.key", "k")
                        .build();
        ObjectRef ref = new ObjectRef("Secret", "default", name);
        return switch (SecretMaterial.of(ref, Optional.empty(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) ->
                    new Resource.OfSecret(material, Origin.API_SERVER);
            case Parsed.Rejected<SecretMaterial> rejected ->
                    throw new AssertionError(rejected.toString());
        };
    }
}
