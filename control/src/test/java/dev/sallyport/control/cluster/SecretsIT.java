package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.finding.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which Secrets of a real API server are found, and when. */
@Tag("cluster")
class SecretsIT {
    private static final Duration SOON = Duration.ofSeconds(8);

    @TempDir private static Path folder;
    private static ApiServer api;

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    private static ClusterSettings settings(SecretAccess secrets) {
        return new ClusterSettings(List.of(), secrets, Duration.ofSeconds(60));
    }

    private static void delete(String name) {
        api.client().secrets().inNamespace("default").withName(name).delete();
    }

    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void aSecretOfAnotherTypeIsFoundAndFollowed(SecretAccess access) throws Exception {
        String name = "opaque-" + access.name().toLowerCase(Locale.ROOT).replace('_', '-');
        api.apply(Site.of("default", name));
        api.apply(Site.secret("default", name, "Opaque", 1));
        try (ServedCluster served = ServedCluster.start(api.admin(), settings(access))) {
            assertThat(
                            ServedCluster.serial(
                                    served.dataPlane().snapshots().getFirst(),
                                    name + ".example.com"))
                    .isEqualTo(Site.serial(1));
            api.apply(Site.secret("default", name, "Opaque", 2));
            served.awaitSerial(name + ".example.com", Site.serial(2));
        }
    }

    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void aSecretThatChangesItsTypeIsFollowed(SecretAccess access) throws Exception {
        String name = "changing-" + access.name().toLowerCase(Locale.ROOT).replace('_', '-');
        String host = name + ".example.com";
        api.apply(Site.of("default", name));
        api.apply(Site.secret("default", name, "Opaque", 1));
        try (ServedCluster served = ServedCluster.start(api.admin(), settings(access))) {
            served.awaitSerial(host, Site.serial(1));
            delete(name);
            api.apply(Site.tlsSecret("default", name, 2));
            served.awaitSerial(host, Site.serial(2));
            delete(name);
            await().until(() -> !served.findings(Reason.SECRET_DELETED).isEmpty());
            api.apply(Site.secret("default", name, "Opaque", 3));
            served.awaitSerial(host, Site.serial(3));
            api.apply(Site.secret("default", name, "Opaque", 4));
            served.awaitSerial(host, Site.serial(4));
            await().untilAsserted(
                            () -> assertThat(served.findings(Reason.SECRET_DELETED)).isEmpty());
        }
    }

    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void aSecretThatIsNotThereIsSaidToBeMissingOnceThatIsKnown(SecretAccess access)
            throws Exception {
        String name = "missing-" + access.name().toLowerCase(Locale.ROOT).replace('_', '-');
        try (ServedCluster served = ServedCluster.start(api.admin(), settings(access))) {
            api.apply(Site.of("default", name));
            await().until(() ->
                    served.findings(Reason.SECRET_MISSING).stream()
                            .anyMatch(finding -> finding.message().contains(name)));
            api.apply(Site.tlsSecret("default", name, 1));
            served.awaitSerial(name + ".example.com", Site.serial(1));
        }
    }

    /** Nobody is told in between that it is missing. */
    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void aSecretThatIsThereIsNeverSaidToBeMissing(SecretAccess access) throws Exception {
        String name = "present-" + access.name().toLowerCase(Locale.ROOT).replace('_', '-');
        api.apply(Site.secret("default", name, "Opaque", 1));
        try (ServedCluster served = ServedCluster.start(api.admin(), settings(access))) {
            served.dataPlane()
                    .before(_ ->
                            assertThat(served.findings(Reason.SECRET_MISSING))
                                    .noneMatch(finding -> finding.message().contains(name)));
            api.apply(Site.of("default", name));
            served.awaitSerial(name + ".example.com", Site.serial(1));
            assertThat(served.control().state().failures()).isZero();
        }
    }

    @Test
    void theKeyThatCertManagerKeepsForItselfIsNoCertificate() throws Exception {
        api.apply(Site.of("default", "pending"));
        api.apply(
                Site.tlsSecret("default", "pending", 1)
                        .replace(
                                "namespace: \"default\"",
                                "namespace: \"default\", labels: {cert-manager.io/next-private-key: \"true\"}"));
        try (ServedCluster served =
                ServedCluster.start(api.admin(), settings(SecretAccess.BY_TYPE))) {
            await().until(() ->
                    served.findings(Reason.SECRET_MISSING).stream()
                            .anyMatch(finding -> finding.message().contains("pending")));
            assertThat(served.serial("pending.example.com")).isEmpty();
        }
    }

    @Test
    void aSecretThatNothingRefersToAnyMoreIsNotWatched() throws Exception {
        api.apply(Site.of("default", "gone"));
        api.apply(Site.secret("default", "gone", "Opaque", 1));
        try (ServedCluster served =
                ServedCluster.start(api.admin(), settings(SecretAccess.BY_NAME))) {
            served.awaitSerial("gone.example.com", Site.serial(1));
            int before = served.control().state().objects().getOrDefault("Secret", 0);
            api.client()
                    .network()
                    .v1()
                    .ingresses()
                    .inNamespace("default")
                    .withName("gone")
                    .delete();
            await().until(() ->
                    served.control().state().objects().getOrDefault("Secret", 0) == before - 1);
            api.apply(Site.of("default", "gone"));
            served.awaitSerial("gone.example.com", Site.serial(1));
        }
    }

    private static void deleteIngress(String name) {
        api.client().network().v1().ingresses().inNamespace("default").withName(name).delete();
    }

    @Test
    void aSecretThatNothingRefersToIsNotKeptAndFoundOnceSomethingDoes() throws Exception {
        String host = "idle.example.com";
        var idle = FakeCluster.secretRef("idle");
        api.apply(Site.of("default", "busy"));
        api.apply(Site.tlsSecret("default", "busy", 1));
        api.apply(Site.tlsSecret("default", "idle", 1));
        try (ServedCluster served =
                ServedCluster.start(api.admin(), settings(SecretAccess.BY_TYPE))) {
            assertThat(served.control().state().resources().get(idle)).isNull();
            api.apply(Site.tlsSecret("default", "idle", 2));
            api.apply(Site.tlsSecret("default", "busy", 2));
            served.awaitSerial("busy.example.com", Site.serial(2)); // told by the same watch
            assertThat(served.control().state().resources().get(idle)).isNull();

            api.apply(Site.of("default", "idle"));
            long began = System.nanoTime();
            served.awaitSerial(host, Site.serial(2));
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(SOON);
            api.apply(Site.tlsSecret("default", "idle", 3));
            served.awaitSerial(host, Site.serial(3));
        }
    }

    /** An Ingress is deleted, its Secret renewed, and the Ingress made again. */
    @Test
    void aSecretThatIsReleasedForAWhileIsServedAsItIsByThenAtOnce() throws Exception {
        String host = "again.example.com";
        api.apply(Site.of("default", "again"));
        api.apply(Site.tlsSecret("default", "again", 1));
        try (ServedCluster served =
                ServedCluster.start(api.admin(), settings(SecretAccess.BY_TYPE))) {
            served.awaitSerial(host, Site.serial(1));
            deleteIngress("again");
            await().until(() -> !served.routes(host));
            api.apply(Site.tlsSecret("default", "again", 2));
            await().until(() -> hasVersion(served, "again"));
            int before = served.dataPlane().snapshots().size();
            api.apply(Site.of("default", "again"));
            served.awaitRoute(host);
            assertThat(
                            served.dataPlane().snapshots().stream()
                                    .skip(before)
                                    .filter(each -> each.routes().find(host, "/") != null))
                    .allMatch(each -> ServedCluster.serial(each, host).equals(Site.serial(2)));
        }
    }

    /** Whether the control side has the Secret as it is now. */
    private static boolean hasVersion(ServedCluster served, String name) {
        var known = served.control().state().resources().get(FakeCluster.secretRef(name));
        return known != null
                && known.version()
                        .resourceVersion()
                        .equals(
                                api.client()
                                        .secrets()
                                        .inNamespace("default")
                                        .withName(name)
                                        .get()
                                        .getMetadata()
                                        .getResourceVersion());
    }

    /** It is rotated, deleted and made anew while Ingresses come and go. */
    @ParameterizedTest
    @EnumSource(SecretAccess.class)
    void noChangeIsLostWhateverComesTogether(SecretAccess access) throws Exception {
        String name = "restless-" + access.name().toLowerCase(Locale.ROOT).replace('_', '-');
        String host = name + ".example.com";
        api.apply(Site.tlsSecret("default", name, 1));
        try (ServedCluster served = ServedCluster.start(api.admin(), settings(access))) {
            for (int i = 0; i < 20; i++) {
                int serial = 2 + 3 * i;
                api.apply(Site.of("default", name));
                api.apply(Site.tlsSecret("default", name, serial));
                if (i % 3 == 0) {
                    served.awaitSerial(host, Site.serial(serial));
                }
                deleteIngress(name);
                api.apply(Site.tlsSecret("default", name, serial + 1));
                if (i % 5 == 0) {
                    delete(name);
                    api.apply(Site.secret("default", name, "Opaque", serial + 2));
                    api.apply(Site.of("default", name));
                    served.awaitSerial(host, Site.serial(serial + 2));
                    delete(name);
                } else {
                    api.apply(Site.of("default", name));
                    served.awaitSerial(host, Site.serial(serial + 1));
                }
            }
            assertThat(served.control().state().failures()).isZero();
        }
    }
}
