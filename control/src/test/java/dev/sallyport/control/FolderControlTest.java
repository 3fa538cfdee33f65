package dev.sallyport.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderControlTest {
    private static final InstantSource TIME =
            InstantSource.fixed(Instant.parse("2026-06-01T00:00:00Z"));
    private static final ControlSettings SETTINGS =
            ControlSettings.forFolder(List.of(), Optional.empty());
    private static final String SERVICE =
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";
    private static final String INGRESS =
            """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: a}
            spec:
              tls: [{hosts: [a.example.com], secretName: tls}]
              defaultBackend: {service: {name: web, port: {number: 80}}}
            """;
    private static final String BAD_SECRET =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\nstringData: {tls.crt: x, tls.key: y}\n";

    @TempDir Path folder;

    @Test
    void aFolderIsServedUntilClosed() throws Exception {
        Files.writeString(folder.resolve("a.yaml"), INGRESS + "---\n" + SERVICE);
        var dataPlane = new RecordingDataPlane();
        try (var control = FolderControl.open(folder, SETTINGS, dataPlane, TIME)) {
            assertThat(control.firstApplied().get(20, TimeUnit.SECONDS).version()).isEqualTo(1);
            Files.writeString(folder.resolve("b.yaml"), BAD_SECRET);
            await().until(() ->
                    control.state().findings().stream()
                            .anyMatch(f -> f.object().name().equals("tls")));
        }
        int count = dataPlane.snapshots().size();
        Files.delete(folder.resolve("a.yaml"));
        assertThat(dataPlane.snapshots()).hasSize(count);
    }

    @Test
    void aCheckSaysEverythingWithFileAndLine() throws Exception {
        Files.writeString(folder.resolve("a.yaml"), INGRESS);
        Files.writeString(folder.resolve("b.yaml"), BAD_SECRET);
        Files.writeString(folder.resolve("c.yaml"), "kind: [\n");
        CheckResult result = FolderCheck.check(folder, SETTINGS, new RecordingDataPlane(), TIME);
        assertThat(result.anyUnusable()).isTrue();
        assertThat(result.objects()).containsEntry("Ingress", 1).containsEntry("Secret", 1);
        assertThat(result.findings())
                .extracting(Finding::reason)
                .contains(Reason.FILE_UNREADABLE, Reason.SERVICE_MISSING);
        assertThat(result.findings())
                .allSatisfy(finding -> assertThat(finding.location()).isPresent());
    }

    @Test
    void warningsAreNotUnusable() throws Exception {
        Files.writeString(
                folder.resolve("a.yaml"),
                INGRESS.replaceAll("(?m)^  tls.*\n", "") + "---\n" + SERVICE);
        CheckResult result = FolderCheck.check(folder, SETTINGS, new RecordingDataPlane(), TIME);
        assertThat(result.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.SERVICE_WITHOUT_ENDPOINTS);
        assertThat(result.anyUnusable()).isFalse();
    }
}
