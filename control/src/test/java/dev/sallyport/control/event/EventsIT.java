package dev.sallyport.control.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.cluster.ApiServer;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a real API server makes of our Events. */
@Tag("cluster")
class EventsIT {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00.25Z");

    @TempDir private static Path folder;
    private static ApiServer api;
    private static ClusterClient cluster;
    private static BoundedCalls calls;

    @BeforeAll
    static void start() throws Exception {
        api = ApiServer.in(folder.resolve("api"));
        api.namespace("edge");
        api.namespace("shop");
        api.allow(
                "events",
                "edge",
                "- {apiGroups: [events.k8s.io], resources: [events], verbs: [create, get, patch]}");
        cluster = ClusterClient.open(api.as("edge", "gateway"));
        calls = new BoundedCalls(Duration.ofSeconds(10));
    }

    @AfterAll
    static void stop() {
        cluster.close();
        calls.close();
        api.close();
    }

    @Test
    void anEventIsOnTheObjectAtFaultAndSaysWhatToDo() throws Exception {
        HasMetadata secret = secret("mismatched");
        Statement statement = mismatch(secret);
        assertThat(events("gateway-0").tell(statement, false)).isTrue();
        Event event = event(statement);
        assertThat(event.getType()).isEqualTo("Warning");
        assertThat(event.getReason()).isEqualTo("KeyMismatch");
        assertThat(event.getAction()).isEqualTo("Reconcile");
        assertThat(event.getNote()).isEqualTo("tls.key: of another. Issue it anew.");
        assertThat(event.getReportingController()).isEqualTo("sallyport.dev/gateway");
        assertThat(event.getReportingInstance()).isEqualTo("gateway-0");
        assertThat(event.getEventTime().getTime()).isEqualTo("2026-06-01T00:00:00.250000Z");
        assertThat(event.getRegarding().getKind()).isEqualTo("Secret");
        assertThat(event.getRegarding().getUid()).isEqualTo(secret.getMetadata().getUid());
        // As `kubectl get events --field-selector` and `kubectl events --for` look for it.
        assertThat(
                        api.client()
                                .v1()
                                .events()
                                .inNamespace("shop")
                                .withField("involvedObject.name", "mismatched")
                                .withField("type", "Warning")
                                .list()
                                .getItems())
                .hasSize(1);
    }

    @Test
    void anotherReplicaDoesNotRepeatWhatHeldBefore() throws Exception {
        Statement statement = mismatch(secret("restarted"));
        assertThat(events("gateway-0").tell(statement, true)).isTrue();
        String version = event(statement).getMetadata().getResourceVersion();
        assertThat(events("gateway-1").tell(statement, true)).isFalse();
        assertThat(event(statement).getMetadata().getResourceVersion()).isEqualTo(version);
    }

    @Test
    void whatHappensAgainIsASeries() throws Exception {
        Statement statement = mismatch(secret("flapping"));
        ApiEvents events = events("gateway-0");
        events.tell(statement, false);
        assertThat(event(statement).getSeries()).isNull();
        events.tell(statement, false);
        assertThat(event(statement).getSeries().getCount()).isEqualTo(2);
        events("gateway-1").tell(statement, false);
        assertThat(event(statement).getSeries().getCount()).isEqualTo(3);
        assertThat(event(statement).getSeries().getLastObservedTime().getTime())
                .isEqualTo("2026-06-01T00:00:00.250000Z");
    }

    @Test
    void anEventOnAnIngressClassIsInTheNamespaceDefault() throws Exception {
        HasMetadata made =
                api.apply(
                                """
                                apiVersion: networking.k8s.io/v1
                                kind: IngressClass
                                metadata: {name: sallyport}
                                spec: {controller: sallyport.dev/ingress-controller}
                                """)
                        .getFirst();
        Statement statement =
                Statement.of(
                        Finding.of(
                                Reason.CLASS_PARAMETERS_UNSUPPORTED,
                                new ObjectRef("IngressClass", "", "sallyport"),
                                "spec.parameters: ConfigMap",
                                "Remove them."),
                        made.getMetadata().getUid());
        assertThat(events("gateway-0").tell(statement, false)).isTrue();
        assertThat(event(statement).getMetadata().getNamespace()).isEqualTo("default");
    }

    @Test
    void everyReasonWithTheLongestTextIsTaken() throws Exception {
        HasMetadata secret = secret("z".repeat(200));
        for (Reason reason : Reason.values()) {
            Finding finding =
                    Finding.of(
                            reason,
                            new ObjectRef("Secret", "shop", secret.getMetadata().getName()),
                            "€".repeat(3_000),
                            "Mend it.");
            String uid = secret.getMetadata().getUid();
            assertThat(events("g".repeat(300)).tell(Statement.of(finding, uid), false))
                    .as(reason.name())
                    .isTrue();
            assertThat(events("g").tell(Statement.resolved(finding, uid), false)).isTrue();
        }
    }

    @Test
    void withoutTheRightItIsForbidden() throws Exception {
        Statement statement = mismatch(secret("unseen"));
        try (ClusterClient stranger = ClusterClient.open(api.as("edge", "stranger"))) {
            var denied =
                    new ApiEvents(
                            stranger.hastyClient(), calls, "gateway-0", InstantSource.fixed(NOW));
            var refused =
                    catchThrowableOfType(
                            RuntimeException.class, () -> denied.tell(statement, false));
            assertThat(ApiFault.of(refused)).isEqualTo(ApiFault.FORBIDDEN);
        }
    }

    private static ApiEvents events(String instance) {
        return new ApiEvents(cluster.hastyClient(), calls, instance, InstantSource.fixed(NOW));
    }

    private static Statement mismatch(HasMetadata secret) {
        return Statement.of(
                Finding.of(
                        Reason.KEY_MISMATCH,
                        new ObjectRef("Secret", "shop", secret.getMetadata().getName()),
                        "tls.key: of another",
                        "Issue it anew."),
                secret.getMetadata().getUid());
    }

    private static HasMetadata secret(String name) {
        return api.apply(
                        """
                        apiVersion: v1
                        kind: Secret
                        metadata: {name: NAME, namespace: shop}
                        """
                                .replace("NAME", name))
                .getFirst();
    }

    private static Event event(Statement statement) {
        return api.client()
                .events()
                .v1()
                .events()
                .inNamespace(statement.namespace())
                .withName(statement.name())
                .get();
    }
}
