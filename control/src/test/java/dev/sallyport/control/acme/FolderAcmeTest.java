package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.control.ControlSettings;
import dev.sallyport.control.FolderControl;
import dev.sallyport.control.RecordingDataPlane;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder and a state folder; the CA cannot be reached. */
class FolderAcmeTest {
    private static final InstantSource TIME = InstantSource.fixed(AcmeFixture.NOW);
    private static final ControlSettings SETTINGS =
            ControlSettings.forFolder(List.of(), Optional.empty());
    private static final String INGRESS =
            """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: shop}
            spec:
              rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix,
                backend: {service: {name: web, port: {number: 80}}}}]}}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {ports: [{port: 80}]}
            """;

    @TempDir Path work;
    private Path folder;
    private Path state;

    @BeforeEach
    void begin() throws IOException {
        folder = Files.createDirectories(work.resolve("folder"));
        state = work.resolve("state");
    }

    @Test
    void whatWasIssuedIsInTheFirstSnapshotAndNothingIsOrdered() throws Exception {
        save(AcmeFixture.issued("shop.example", "0a"));
        Files.writeString(folder.resolve("shop.yaml"), INGRESS);
        var dataPlane = new RecordingDataPlane();
        try (FolderControl control = open(dataPlane)) {
            control.firstApplied().get(20, TimeUnit.SECONDS);
            assertThat(serial(dataPlane.snapshots().getFirst(), "shop.example")).isEqualTo("0a");
            Kept kept =
                    await().until(
                                    () ->
                                            control.acme()
                                                    .flatMap(it ->
                                                            it.state().certificates().stream()
                                                                    .findFirst()),
                                    it -> it.flatMap(Kept::order).isPresent())
                            .orElseThrow();
            assertThat(kept.serial()).isEqualTo("0a");
            assertThat(kept.underWay()).isEmpty();
            assertThat(control.acme().orElseThrow().state().counts().begun()).isZero();
        }
    }

    @Test
    void aHostThatAppearsIsOrderedAndFailsWithoutHarm() throws Exception {
        var dataPlane = new RecordingDataPlane();
        try (FolderControl control = open(dataPlane)) {
            control.firstApplied().get(20, TimeUnit.SECONDS);
            Files.writeString(folder.resolve("shop.yaml"), INGRESS);
            Kept failed =
                    await().atMost(60, TimeUnit.SECONDS)
                            .until(
                                    () ->
                                            control
                                                    .acme()
                                                    .orElseThrow()
                                                    .state()
                                                    .certificates()
                                                    .stream()
                                                    .filter(it -> !it.failures().isEmpty())
                                                    .findFirst(),
                                    Optional::isPresent)
                            .orElseThrow();
            assertThat(failed.id().text()).isEqualTo("shop.example");
            assertThat(dataPlane.last().routes().find("shop.example", "/")).isNotNull();
        }
    }

    @Test
    void damagedFilesHarmNoOther() throws Exception {
        save(AcmeFixture.issued("shop.example", "0a"), AcmeFixture.issued("b.example", "0b"));
        try (Stream<Path> files = Files.walk(state)) {
            Path damaged =
                    files.filter(Files::isRegularFile)
                            .filter(file -> file.getFileName().toString().contains("b.example"))
                            .findFirst()
                            .orElseThrow();
            Files.writeString(damaged, "damaged");
        }
        try (FolderAcme acme =
                FolderAcme.open(AcmeFixture.settings(state), TIME, FolderAcmeTest::unbound)) {
            assertThat(acme.stored())
                    .singleElement()
                    .satisfies(change -> assertThat(change.ref().name()).contains("shop.example"));
        }
    }

    @Test
    void aStateFolderIsOneGateways() throws Exception {
        try (FolderAcme _ =
                FolderAcme.open(AcmeFixture.settings(state), TIME, FolderAcmeTest::unbound)) {
            assertThatThrownBy(() ->
                            FolderAcme.open(
                                    AcmeFixture.settings(state), TIME, FolderAcmeTest::unbound))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(state.toString());
        }
        FolderAcme.open(AcmeFixture.settings(state), TIME, FolderAcmeTest::unbound).close();
    }

    private FolderControl open(RecordingDataPlane dataPlane) throws IOException {
        return FolderControl.open(
                folder,
                SETTINGS,
                dataPlane,
                TIME,
                Optional.of(
                        FolderAcme.open(
                                AcmeFixture.settings(state), TIME, FolderAcmeTest::unbound)));
    }

    private void save(StoredCertificate... issued) throws IOException {
        try (DirectoryStore store = DirectoryStore.open(state)) {
            for (StoredCertificate certificate : issued) {
                store.save(certificate);
            }
        }
    }

    private static String serial(GatewaySnapshot snapshot, String host) {
        CertificateSet set = snapshot.certificates().find(host);
        assertThat(set).isNotNull();
        return java.util.Objects.requireNonNull(set).certificates().getFirst().bundle().serial();
    }

    private static Replica unbound() {
        return new Replica(List.of(), List.of());
    }
}
