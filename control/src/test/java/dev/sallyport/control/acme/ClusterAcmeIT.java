package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredMemory;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.cluster.ApiServer;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.Challenge;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ACME keeps and shows in a cluster, on a real API server. */
@Tag("cluster")
class ClusterAcmeIT {
    private static final CertificateId SHOP = new CertificateId("shop.example");
    private static final AcmeAnswer ANSWER =
            new AcmeAnswer.Http(new Challenge("shop.example", "t"), "t.x");
    private static final AcmeAnswer OTHER =
            new AcmeAnswer.Http(new Challenge("b.example", "u"), "u.x");
    private static final AtomicInteger NEXT = new AtomicInteger();

    @TempDir private static Path folder;
    private static ApiServer api;
    private static ClusterClient cluster;

    private final String namespace = "acme-" + NEXT.incrementAndGet();
    private final AtomicBoolean leads = new AtomicBoolean(true);
    private BoundedCalls calls;
    private KubernetesClient client;

    @BeforeAll
    static void start() throws Exception {
        api = ApiServer.in(folder.resolve("api"));
        cluster = ClusterClient.open(api.admin());
    }

    @AfterAll
    static void stop() {
        cluster.close();
        api.close();
    }

    @BeforeEach
    void begin() {
        api.namespace(namespace);
        calls = new BoundedCalls(Duration.ofSeconds(5));
        client = cluster.hastyClient();
    }

    @AfterEach
    void end() {
        calls.close();
    }

    private SecretStore store() {
        return store(AcmeRules.GATEWAY);
    }

    private SecretStore store(String gateway) {
        return new SecretStore(
                client, calls, namespace, new OwnSecrets(gateway), leads::get, Optional::empty);
    }

    private ChallengesSecret challenges() {
        return new ChallengesSecret(
                client, calls, namespace, new OwnSecrets("gateway"), leads::get);
    }

    @Test
    void whatOneLeaderSavesTheNextOneReads() throws Exception {
        SecretStore first = store();
        StoredCertificate issued = AcmeFixture.issued("shop.example", "0a");
        first.save(account());
        first.save(order());
        first.save(order().at(URI.create("https://ca.invalid/order/1")));
        first.save(issued);
        first.save(new StoredMemory("what failed"));

        SecretStore next = store();
        Issuer issuer = AcmeFixture.issuers().ordered().getFirst();
        assertThat(read(next.account(issuer)).orElseThrow().key().spki())
                .isEqualTo(account().key().spki());
        assertThat(read(next.order(SHOP)).orElseThrow().location())
                .contains(URI.create("https://ca.invalid/order/1"));
        assertThat(next.certificates()).containsExactly("shop.example");
        assertThat(next.orders()).containsExactly("shop.example");
        assertThat(read(next.certificate(SHOP)).orElseThrow().bundle().serial()).isEqualTo("0a");

        assertThat(read(next.memory())).contains(new StoredMemory("what failed"));
        next.save(AcmeFixture.issued("shop.example", "0b"));
        assertThat(read(store().certificate(SHOP)).orElseThrow().bundle().serial()).isEqualTo("0b");
        next.removeOrder(SHOP);
        next.removeOrder(SHOP); // once more is nothing
        next.removeCertificate(SHOP);
        assertThat(next.orders()).isEmpty();
        assertThat(read(next.certificate(SHOP))).isEmpty();
    }

    /** Everybody's clients read it as what it is. */
    @Test
    void whatIsIssuedIsASecretAsAnyOther() throws Exception {
        store().save(AcmeFixture.issued("shop.example", "0a"));
        Secret secret = secret(AcmeRules.secret(namespace, SHOP).name());
        assertThat(secret.getType()).isEqualTo("kubernetes.io/tls");
        assertThat(secret.getMetadata().getLabels())
                .containsEntry("sallyport.dev/acme", "certificate")
                .containsEntry("app.kubernetes.io/managed-by", "sallyport")
                .containsEntry("sallyport.dev/acme-gateway", "sallyport");
        assertThat(
                        new String(
                                Base64.getDecoder().decode(secret.getData().get("tls.crt")),
                                StandardCharsets.US_ASCII))
                .startsWith("-----BEGIN CERTIFICATE-----");
    }

    @Test
    void whoDoesNotLeadWritesNothing() throws Exception {
        SecretStore store = store();
        store.save(order());
        leads.set(false);
        assertThatThrownBy(() -> store.save(AcmeFixture.issued("shop.example", "0a")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("leads");
        assertThatThrownBy(() -> store.removeOrder(SHOP)).isInstanceOf(IOException.class);
        assertThat(store.orders()).hasSize(1);
        assertThat(store.certificates()).isEmpty();
    }

    @Test
    void whatOthersChangedMeanwhileIsReplacedAsItIsNow() throws Exception {
        SecretStore store = store();
        store.save(AcmeFixture.issued("shop.example", "0a"));
        String name = AcmeRules.secret(namespace, SHOP).name();
        client.secrets()
                .inNamespace(namespace)
                .withName(name)
                .edit(it ->
                        new SecretBuilder(it)
                                .editMetadata()
                                .addToLabels("team", "edge")
                                .endMetadata()
                                .build());
        store.save(AcmeFixture.issued("shop.example", "0b"));
        assertThat(secret(name).getMetadata().getLabels()).containsEntry("team", "edge");

        client.secrets().inNamespace(namespace).withName(name).delete();
        store.save(AcmeFixture.issued("shop.example", "0c"));
        assertThat(read(store().certificate(SHOP)).orElseThrow().bundle().serial()).isEqualTo("0c");
    }

    @Test
    void aSecretOfSomebodyElseIsNotTouched() throws Exception {
        String name = AcmeRules.secret(namespace, SHOP).name();
        apply(
                new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(name)
                        .endMetadata()
                        .withData(Map.of("theirs", "AAAA"))
                        .build());
        assertThatThrownBy(() -> store().save(AcmeFixture.issued("shop.example", "0a")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("somebody else's");
        assertThatThrownBy(() -> store().removeCertificate(SHOP)).isInstanceOf(IOException.class);
        assertThat(store().certificate(SHOP)).isInstanceOf(Parsed.Rejected.class);
        assertThat(secret(name).getData()).containsOnlyKeys("theirs");
    }

    /** Of one namespace, for one host, at one CA. */
    @Test
    void twoGatewaysKeepWhatIsTheirs() throws Exception {
        SecretStore first = store("edge");
        SecretStore second = store("inner");
        var failures = new StoredMemory("what failed at the first");
        first.save(account());
        first.save(order());
        first.save(AcmeFixture.issued("shop.example", "0a"));
        first.save(failures);

        assertThat(second.certificates()).isEmpty();
        assertThat(second.orders()).isEmpty();
        Issuer issuer = AcmeFixture.issuers().ordered().getFirst();
        assertThat(read(second.account(issuer))).isEmpty();
        assertThat(read(second.memory())).isEmpty();
        second.save(AcmeFixture.issued("shop.example", "0b"));
        second.save(new StoredMemory("what failed at the second"));
        second.removeOrder(SHOP);
        second.removeCertificate(SHOP);

        SecretStore next = store("edge");
        assertThat(next.certificates()).containsExactly("shop.example");
        assertThat(next.orders()).containsExactly("shop.example");
        assertThat(read(next.certificate(SHOP)).orElseThrow().bundle().serial()).isEqualTo("0a");
        assertThat(read(next.memory())).contains(failures);
        assertThat(read(next.account(issuer))).isPresent();
    }

    @Test
    void aDamagedSecretHarmsNoOther() throws Exception {
        SecretStore store = store();
        store.save(AcmeFixture.issued("shop.example", "0a"));
        store.save(AcmeFixture.issued("b.example", "0b"));
        client.secrets()
                .inNamespace(namespace)
                .withName(AcmeRules.secret(namespace, SHOP).name())
                .edit(it -> new SecretBuilder(it).addToData("acme", "ZGFtYWdlZA==").build());
        SecretStore next = store();
        assertThat(next.certificates()).containsExactly("b.example", "shop.example");
        assertThat(next.certificate(SHOP)).isInstanceOf(Parsed.Rejected.class);
        assertThat(read(next.certificate(new CertificateId("b.example")))).isPresent();
    }

    @Test
    void whatTheLeaderShowsEveryReplicaIsTold() {
        List<List<AcmeAnswer>> told = new CopyOnWriteArrayList<>();
        try (ChallengesSecret leader = challenges();
                ChallengesSecret other =
                        new ChallengesSecret(
                                client, calls, namespace, new OwnSecrets("gateway"), () -> false)) {
            leader.start(cluster.client(), _ -> {});
            other.start(cluster.client(), told::add);
            leader.leadershipChanged();
            await().until(() -> leader.owner().isPresent());
            leader.show(List.of(ANSWER));
            await().until(() -> !told.isEmpty() && told.getLast().equals(List.of(ANSWER)));
            leader.show(List.of());
            await().until(() -> told.getLast().isEmpty());
            other.show(List.of(OTHER)); // does not lead
            leader.show(List.of(ANSWER, OTHER));
            await().until(() -> told.getLast().equals(List.of(ANSWER, OTHER)));

            int before = told.size();
            client.secrets().inNamespace(namespace).withName("gateway-acme").delete();
            await().until(() -> told.size() > before + 1);
            assertThat(told.subList(before, told.size()))
                    .as("made anew")
                    .containsExactly(List.of(), List.of(ANSWER, OTHER));
            leader.show(List.of(OTHER));
            await().until(() -> told.getLast().equals(List.of(OTHER)));
        }
    }

    @Test
    void whatOthersCallAsOursIsIsNeitherReadNorReplaced() throws Exception {
        store().save(order());
        var theirs =
                new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .addToLabels("team", "edge")
                        .endMetadata()
                        .withData(
                                Map.of(
                                        "challenges",
                                        Base64.getEncoder()
                                                .encodeToString(AnswerLines.of(List.of(OTHER)))));
        apply(theirs.editMetadata().withName("gateway-acme").endMetadata().build());
        apply(theirs.editMetadata().withName("sallyport-acme").endMetadata().build());
        assertThatThrownBy(() -> store().certificates())
                .as("what keeps everything from being issued")
                .isInstanceOf(IOException.class)
                .hasMessageContaining(namespace + "/sallyport-acme: it is somebody else's");

        List<List<AcmeAnswer>> told = new CopyOnWriteArrayList<>();
        var tries = new AtomicInteger();
        try (ChallengesSecret leader =
                new ChallengesSecret(
                        client,
                        calls,
                        namespace,
                        new OwnSecrets("gateway"),
                        () -> tries.incrementAndGet() > 0)) {
            leader.start(cluster.client(), told::add);
            leader.show(List.of(OTHER));
            await().until(() -> tries.get() > 0);
            leader.show(List.of(ANSWER));
            await().until(() -> tries.get() > 1); // so that the first one has ended
            await().until(() -> !told.isEmpty());
            assertThat(leader.owner()).isEmpty();
            assertThat(secret("gateway-acme").getMetadata().getLabels()).containsOnlyKeys("team");
            assertThat(told).containsOnly(List.of());

            client.secrets().inNamespace(namespace).withName("gateway-acme").delete();
            await().until(() -> told.getLast().equals(List.of(ANSWER)));
            assertThat(leader.owner()).isPresent();
        }
        client.secrets().inNamespace(namespace).withName("sallyport-acme").delete();
        assertThat(store().certificates()).isEmpty();
    }

    /** A CA may look just now at what the leader before showed. */
    @Test
    void aNewLeaderTakesNothingAway() {
        List<List<AcmeAnswer>> told = new CopyOnWriteArrayList<>();
        try (ChallengesSecret before = challenges()) {
            before.start(cluster.client(), told::add);
            before.show(List.of(ANSWER));
            await().until(() -> told.contains(List.of(ANSWER)));
        }
        told.clear();
        try (ChallengesSecret next = challenges()) {
            next.start(cluster.client(), told::add);
            next.leadershipChanged();
            next.show(List.of(OTHER));
            await().until(() -> !told.isEmpty() && told.getLast().size() == 2);
            assertThat(told.getLast()).containsExactlyInAnyOrder(ANSWER, OTHER);
        }
    }

    @Test
    void replicasAreTheReadyEndpointsOfTheService() throws Exception {
        apply(slice("web-1", "10.0.0.1", true));
        apply(slice("web-2", "10.0.0.2", false));
        var own =
                new Replica(
                        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080)),
                        List.of());
        var service = new ObjectRef("Service", namespace, "web");
        assertThat(replicas(client, Optional.of(service), own).get())
                .containsExactly(
                        new Replica(
                                List.of(
                                        new InetSocketAddress(
                                                InetAddress.getByName("10.0.0.1"), 8080)),
                                List.of()));
        assertThat(replicas(client, Optional.empty(), own).get()).containsExactly(own);
        var missing = new ObjectRef("Service", namespace, "gone");
        assertThat(replicas(client, Optional.of(missing), own).get()).containsExactly(own);
    }

    @Test
    void whereNoServiceIsNamedThoseWithThisReplicaBehindThemAreMeant() throws Exception {
        InetAddress address = ownAddress();
        var own =
                new Replica(
                        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080)),
                        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8443)));
        apply(on(8443, slice("web-1", address.getHostAddress(), true)));
        apply(on(8443, slice("web-2", "10.0.0.2", true)));
        apply(on(8443, slice("web-3", "10.0.0.3", false)));
        assertThat(replicas(client, Optional.empty(), own).get())
                .extracting(it -> it.https().getFirst())
                .containsExactlyInAnyOrder(
                        new InetSocketAddress(address, 8443),
                        new InetSocketAddress("10.0.0.2", 8443));

        var another =
                new Replica(
                        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9090)),
                        List.of());
        assertThat(replicas(client, Optional.empty(), another).get()).containsExactly(another);
    }

    @Test
    void whoMayNotListItsServicesIsAlone() {
        var own =
                new Replica(
                        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080)),
                        List.of());
        var nobody =
                new ConfigBuilder(client.getConfiguration())
                        .withImpersonateUsername("nobody")
                        .build();
        try (KubernetesClient refused = new KubernetesClientBuilder().withConfig(nobody).build()) {
            assertThat(replicas(refused, Optional.empty(), own).get()).containsExactly(own);
            var service = new ObjectRef("Service", namespace, "web");
            assertThat(replicas(refused, Optional.of(service), own).get())
                    .as("nobody says that it is alone")
                    .isEmpty();
        }
    }

    /** Those of a gateway that was started a while ago. */
    private Replicas replicas(KubernetesClient by, Optional<ObjectRef> service, Replica own) {
        var now = new AtomicLong();
        var replicas = new Replicas(by, calls, namespace, service, () -> own, now::get, _ -> {});
        now.set(Duration.ofMinutes(1).toNanos());
        return replicas;
    }

    /** One that an EndpointSlice may have. */
    private static InetAddress ownAddress() throws SocketException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(Inet4Address.class::isInstance)
                .filter(it -> !it.isLoopbackAddress() && !it.isLinkLocalAddress())
                .findFirst()
                .orElseThrow();
    }

    private static EndpointSlice on(int port, EndpointSlice slice) {
        return slice.edit()
                .withPorts(new EndpointPortBuilder().withName("https").withPort(port).build())
                .build();
    }

    private EndpointSlice slice(String name, String address, boolean ready) {
        return new EndpointSliceBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .addToLabels("kubernetes.io/service-name", "web")
                .endMetadata()
                .withAddressType("IPv4")
                .withEndpoints(
                        new EndpointBuilder()
                                .withAddresses(address)
                                .withNewConditions()
                                .withReady(ready)
                                .endConditions()
                                .build())
                .build();
    }

    private void apply(HasMetadata object) {
        client.resource(object).create();
    }

    private Secret secret(String name) {
        return client.secrets().inNamespace(namespace).withName(name).get();
    }

    private static final KeyMaterial KEY = KeyMaterial.generate(KeyAlgorithm.EC_P256);

    private static StoredAccount account() {
        return new StoredAccount(
                "first", AcmeFixture.DIRECTORY, KEY, Optional.empty(), Optional.empty());
    }

    private static StoredOrder order() {
        return new StoredOrder(
                SHOP,
                "first",
                AcmeFixture.DIRECTORY,
                CertificateOrder.of(
                        List.of(Identifier.parse("shop.example")), KeyAlgorithm.EC_P256),
                KEY,
                Optional.empty(),
                AcmeFixture.NOW);
    }

    private static <T> Optional<T> read(Parsed<Optional<T>> parsed) {
        return switch (parsed) {
            case Parsed.Usable<Optional<T>> usable -> usable.value();
            case Parsed.Rejected<Optional<T>> rejected ->
                    throw new AssertionError(rejected.findings());
        };
    }
}
