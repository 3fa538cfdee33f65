package dev.sallyport.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.reconcile.HoldOff;
import dev.sallyport.control.reconcile.Reconciler;
import dev.sallyport.control.reconcile.SecretDemand;
import dev.sallyport.control.source.FolderSettings;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ThrowingRunnable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** A real folder, real notifications, the real reconciler; only the data plane is a recording. */
@Tag("slow")
class FolderServingTest {
    private static final InstantSource TIME =
            InstantSource.fixed(Instant.parse("2026-06-01T00:00:00Z"));

    private static final String AB =
            ingress("a", "a.example.com") + "---\n" + ingress("b", "b.example.com");

    @TempDir Path temp;

    private final RecordingDataPlane dataPlane = new RecordingDataPlane();
    private final Queue<Finding> saidByFolder = new ConcurrentLinkedQueue<>();
    private Path folder = Path.of("");
    private @Nullable FolderSource source;
    private @Nullable Reconciler reconciler;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectory(temp.resolve("manifests"));
    }

    @AfterEach
    void close() {
        if (source != null) {
            source.close();
        }
        if (reconciler != null) {
            reconciler.close();
        }
    }

    @Test
    void aNewFileIsServed() throws Exception {
        serve();
        write("a.yaml", ingress("a", "a.example.com"));
        eventually(() -> assertThat(route("a.example.com")).isNotNull());
    }

    @Test
    void aFileReplacedByRenameIsServed() throws Exception {
        write("s.yaml", secret("01"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        assertThat(serial()).isEqualTo("01");
        replace("s.yaml", secret("02"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void aFileEditedInPlaceIsServed() throws Exception {
        write("s.yaml", secret("01"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        write("s.yaml", secret("02"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void aKubeletsSwapIsServedOnce() throws Exception {
        Path first = Files.createDirectory(folder.resolve("..2026_01"));
        Files.writeString(first.resolve("s.yaml"), secret("01"));
        Files.writeString(first.resolve("a.yaml"), ingress("a", "a.example.com"));
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..2026_01"));
        Files.createSymbolicLink(folder.resolve("s.yaml"), Path.of("..data/s.yaml"));
        Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..data/a.yaml"));
        serve();
        assertThat(serial()).isEqualTo("01");
        Path second = Files.createDirectory(folder.resolve("..2026_02"));
        Files.writeString(second.resolve("s.yaml"), secret("02"));
        Files.writeString(second.resolve("a.yaml"), ingress("a", "a.example.com"));
        Path swap = folder.resolve("..data_tmp");
        Files.createSymbolicLink(swap, Path.of("..2026_02"));
        Files.move(swap, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        eventually(() -> assertThat(serial()).isEqualTo("02"));
        assertThat(findings()).isEmpty(); // nothing was read twice
    }

    @Test
    void aDeletedFilesObjectsAreGone() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        write("b.yaml", ingress("b", "b.example.com"));
        serve();
        Files.delete(folder.resolve("b.yaml"));
        eventually(() -> assertThat(route("b.example.com")).isNull());
        assertThat(route("a.example.com")).isNotNull();
    }

    @Test
    void anEditorsRemoveAndRecreateNeverTakesAHostDown() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        servePatiently();
        Files.delete(folder.resolve("a.yaml"));
        write("a.yaml", ingress("a", "a.example.com") + "---\n" + ingress("b", "b.example.com"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        assertThat(dataPlane.snapshots())
                .allSatisfy(snapshot ->
                        assertThat(snapshot.routes().find("a.example.com", "/")).isNotNull());
    }

    @Test
    void aHalfWrittenFileKeepsItsLastGoodObjects() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        write("a.yaml", "kind: Ingress\nspec: [\n");
        eventually(() ->
                assertThat(findings())
                        .anySatisfy(finding -> {
                            assertThat(finding.reason()).isEqualTo(Reason.FILE_UNREADABLE);
                            assertThat(finding.location().orElseThrow().file()).endsWith("a.yaml");
                            assertThat(finding.location().orElseThrow().line()).isEqualTo(3);
                        }));
        assertThat(route("a.example.com")).isNotNull();
    }

    @Test
    void aCorrectedFileLosesItsFinding() throws Exception {
        write("a.yaml", "kind: [\n");
        serve();
        assertThat(findings()).hasSize(1);
        write("a.yaml", ingress("a", "a.example.com"));
        eventually(() -> assertThat(route("a.example.com")).isNotNull());
        eventually(() -> assertThat(findings()).isEmpty());
    }

    @Test
    void anEmptiedFileKeepsItsLastGoodObjects() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        write("a.yaml", "");
        eventually(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.FILE_UNREADABLE));
        assertThat(route("a.example.com")).isNotNull();
    }

    @Test
    void aSlowWriterNeverTakesAHostDown() throws Exception {
        String text = ingress("a", "a.example.com") + "---\n" + ingress("b", "b.example.com");
        write("a.yaml", text);
        servePatiently();
        Path file = folder.resolve("a.yaml");
        Files.write(file, new byte[0]);
        for (char c : (text + "---\n" + ingress("c", "c.example.com")).toCharArray()) {
            Files.writeString(file, String.valueOf(c), StandardOpenOption.APPEND);
        }
        eventually(() -> assertThat(route("c.example.com")).isNotNull());
        assertThat(dataPlane.snapshots())
                .allSatisfy(snapshot -> {
                    assertThat(snapshot.routes().find("a.example.com", "/")).isNotNull();
                    assertThat(snapshot.routes().find("b.example.com", "/")).isNotNull();
                });
    }

    @Test
    void noPartOfAFileIsServedThatIsWrittenInPieces() throws Exception {
        write("ab.yaml", AB);
        servePatiently();
        for (String last : List.of("host: a.example", "host: b.example", "http:")) {
            int part = AB.lastIndexOf(last) + last.length();
            write("ab.yaml", AB.substring(0, part));
            pause();
            append("ab.yaml", AB.substring(part));
            pause();
        }
        awaitAppendedRoute("ab.yaml");
        assertThat(dataPlane.snapshots()).allSatisfy(FolderServingTest::servesAB);
    }

    @Test
    void noPartOfAFileIsServedThatIsMadeAnewInPieces() throws Exception {
        write("ab.yaml", AB);
        servePatiently();
        for (String last : List.of("host: a.example", "host: b.example", "http:")) {
            int part = AB.lastIndexOf(last) + last.length();
            Files.delete(folder.resolve("ab.yaml"));
            write("ab.yaml", AB.substring(0, part));
            pause();
            append("ab.yaml", AB.substring(part));
            pause();
        }
        awaitAppendedRoute("ab.yaml");
        assertThat(dataPlane.snapshots()).allSatisfy(FolderServingTest::servesAB);
    }

    @Test
    void aFileThatIsAsBeforeAfterAMomentIsServedAsBefore() throws Exception {
        write("ab.yaml", AB);
        servePatiently();
        replace("ab.yaml", ingress("a", "other.example.com"));
        eventually(() -> assertThat(route("other.example.com")).isNotNull());
        replace("ab.yaml", AB);
        eventually(() -> servesAB(dataPlane.last()));
        assertThat(route("other.example.com")).isNull();
    }

    @Test
    void aMovedFileIsServedOnAndNothingIsSaid() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        servePatiently();
        Files.move(folder.resolve("a.yaml"), folder.resolve("b.yaml"));
        eventually(() ->
                assertThat(
                                reconciler().state().findings().stream()
                                        .flatMap(finding -> finding.location().stream())
                                        .map(place -> place.file()))
                        .allMatch(file -> file.endsWith("b.yaml"))
                        .isNotEmpty());
        assertThat(saidByFolder).isEmpty();
        assertThat(dataPlane.snapshots())
                .allSatisfy(snapshot ->
                        assertThat(snapshot.routes().find("a.example.com", "/")).isNotNull());
    }

    @Test
    void anObjectOfAnotherVersionKeepsTheOneBefore() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        replace("a.yaml", ingress("a", "a.example.com").replace("/v1", "/v1beta1"));
        eventually(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.OBJECT_INVALID));
        await().pollDelay(FolderSettings.DEFAULT.vanishGrace().multipliedBy(2)).until(() -> true);
        write("b.yaml", ingress("b", "b.example.com"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        assertThat(route("a.example.com")).isNotNull();
    }

    @Test
    void afterTheFirstOfTwoFilesWithOneSecretIsGoneTheSecondIsServed() throws Exception {
        write("1.yaml", secret("01"));
        write("2.yaml", secret("02"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        assertThat(serial()).isEqualTo("01");
        Files.delete(folder.resolve("1.yaml"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void aSecretThatWasServedBeforeIsServedAgainWhenTheOneBeforeItIsGone() throws Exception {
        write("2.yaml", secret("02"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        assertThat(serial()).isEqualTo("02");
        write("1.yaml", secret("01"));
        eventually(() -> assertThat(serial()).isEqualTo("01"));
        Files.delete(folder.resolve("1.yaml"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void ofTwoFilesWithOneObjectTheFirstByPathCounts() throws Exception {
        write("b.yaml", ingress("a", "b.example.com"));
        serve();
        assertThat(route("b.example.com")).isNotNull();
        write("a.yaml", ingress("a", "a.example.com"));
        eventually(() -> assertThat(route("a.example.com")).isNotNull());
        assertThat(route("b.example.com")).isNull();
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.OBJECT_DUPLICATE);
                    assertThat(finding.location().orElseThrow().file()).endsWith("b.yaml");
                    assertThat(finding.message()).contains("a.yaml:1");
                });
        Files.delete(folder.resolve("a.yaml"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        eventually(() -> assertThat(findings()).isEmpty());
    }

    @Test
    void withoutNotificationsThePollSeesEverything() throws Exception {
        write("s.yaml", secret("01"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve(settings(false));
        write("s.yaml", secret("02"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
        replace("s.yaml", secret("03"));
        eventually(() -> assertThat(serial()).isEqualTo("03"));
        write("b.yaml", ingress("b", "b.example.com"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        Files.delete(folder.resolve("b.yaml"));
        eventually(() -> assertThat(route("b.example.com")).isNull());
    }

    @Test
    void thePollSeesAnEditThatLeavesSizeAndTimeAsTheyWere() throws Exception {
        write("s.yaml", secret("01"));
        write("a.yaml", ingress("a", "a.example.com"));
        var time = Files.getLastModifiedTime(folder.resolve("s.yaml"));
        serve(settings(false));
        write("s.yaml", secret("02"));
        Files.setLastModifiedTime(folder.resolve("s.yaml"), time);
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void aFolderMovedInAndOutIsSeen() throws Exception {
        Path outside = Files.createDirectory(temp.resolve("outside"));
        Files.writeString(outside.resolve("b.yaml"), ingress("b", "b.example.com"));
        serve();
        Files.move(outside, folder.resolve("inside"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        Files.writeString(folder.resolve("inside/c.yml"), ingress("c", "c.example.com"));
        eventually(() -> assertThat(route("c.example.com")).isNotNull());
        Files.move(folder.resolve("inside"), outside);
        eventually(() -> assertThat(route("b.example.com")).isNull());
    }

    @Test
    void aFileBehindALinkIsSeenWhenItChangesElsewhere() throws Exception {
        Path elsewhere = Files.createDirectory(temp.resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("s.yaml"), secret("01"));
        Files.createSymbolicLink(folder.resolve("s.yaml"), elsewhere.resolve("s.yaml"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve(
                new FolderSettings(
                        true,
                        Duration.ofHours(1),
                        Duration.ofMillis(8),
                        Duration.ofMillis(100),
                        8 << 20,
                        100,
                        8));
        Files.writeString(elsewhere.resolve("s.yaml"), secret("02"));
        eventually(() -> assertThat(serial()).isEqualTo("02"));
    }

    @Test
    void aVanishedFolderIsServedOn() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        serve(settings(true));
        Files.move(folder, temp.resolve("away"));
        eventually(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .contains(Reason.FILE_UNREADABLE));
        assertThat(route("a.example.com")).isNotNull();
        Files.move(temp.resolve("away"), folder);
        write("b.yaml", ingress("b", "b.example.com"));
        eventually(() -> assertThat(route("b.example.com")).isNotNull());
        eventually(() -> assertThat(findings()).isEmpty());
    }

    @Test
    void aFolderThatAppearsLaterIsServed() throws Exception {
        Files.delete(folder);
        serve(settings(true));
        assertThat(findings()).hasSize(1);
        Files.createDirectory(folder);
        write("a.yaml", ingress("a", "a.example.com"));
        eventually(() -> assertThat(route("a.example.com")).isNotNull());
    }

    @Test
    void anInvalidUpdateOfAnObjectKeepsTheOneBefore() throws Exception {
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        write("a.yaml", ingress("a", "a.example.com").replace("number: 80", "number: eighty"));
        eventually(() ->
                assertThat(findings())
                        .extracting(Finding::reason)
                        .containsExactly(Reason.OBJECT_INVALID));
        assertThat(route("a.example.com")).isNotNull();
    }

    @Test
    void aRotationIsInServiceWithinMilliseconds(TestReporter reporter) throws Exception {
        write("s.yaml", secret("01"));
        write("a.yaml", ingress("a", "a.example.com"));
        serve();
        long[] nanos = new long[60];
        for (int i = 0; i < nanos.length; i++) {
            String serial = String.format(Locale.ROOT, "%02x", i + 16);
            long began = System.nanoTime();
            replace("s.yaml", secret(serial));
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofNanos(200_000))
                    .atMost(Duration.ofSeconds(5))
                    .until(() -> serial().equals(serial));
            nanos[i] = System.nanoTime() - began;
            await().pollDelay(Duration.ofMillis(100))
                    .until(() -> true); // not faster than 10 a second
        }
        Arrays.sort(nanos);
        long median = TimeUnit.NANOSECONDS.toMicros(nanos[nanos.length / 2]);
        long worst = TimeUnit.NANOSECONDS.toMicros(nanos[nanos.length - 1]);
        reporter.publishEntry(
                "file replaced to applied: p50 " + median + " µs, worst of 60 " + worst + " µs");
        assertThat(median).isLessThan(50_000);
    }

    private void serve() throws Exception {
        serve(
                new FolderSettings(
                        true, // a poll would hide what notifications miss
                        Duration.ofHours(1),
                        FolderSettings.DEFAULT.settle(),
                        FolderSettings.DEFAULT.vanishGrace(),
                        8 << 20,
                        1_000,
                        16));
    }

    /** Nothing that takes less than two seconds may count as lasting. */
    private void servePatiently() throws Exception {
        serve(
                new FolderSettings(
                        true,
                        Duration.ofHours(1),
                        FolderSettings.DEFAULT.settle(),
                        Duration.ofSeconds(2),
                        8 << 20,
                        1_000,
                        16));
    }

    private static FolderSettings settings(boolean notifications) {
        return new FolderSettings(
                notifications,
                Duration.ofMillis(50),
                FolderSettings.DEFAULT.settle(),
                FolderSettings.DEFAULT.vanishGrace(),
                8 << 20,
                1_000,
                16);
    }

    private void serve(FolderSettings settings) throws Exception {
        reconciler =
                new Reconciler(
                        TranslationSettings.forFolder(List.of(), Optional.empty()),
                        HoldOff.DEFAULT,
                        SecretDemand.NONE,
                        Placeholders.READER,
                        Runnable::run,
                        dataPlane,
                        TIME);
        Reconciler sink = reconciler;
        source =
                new FolderSource(
                        folder,
                        settings,
                        update -> {
                            update.findings().values().forEach(saidByFolder::addAll);
                            sink.submit(update);
                        },
                        Runnable::run,
                        System::nanoTime);
        reconciler.start();
        source.start();
        reconciler.firstApplied().get(20, TimeUnit.SECONDS);
    }

    private List<Finding> findings() {
        return reconciler == null
                ? List.of()
                : reconciler.state().findings().stream()
                        .filter(finding -> finding.reason() != Reason.SERVICE_MISSING)
                        .filter(finding -> finding.reason() != Reason.SECRET_MISSING)
                        .toList();
    }

    private Reconciler reconciler() {
        return Objects.requireNonNull(reconciler);
    }

    private @Nullable Route route(String host) {
        return dataPlane.last().routes().find(host, "/");
    }

    private String serial() {
        var set = dataPlane.last().certificates().find("a.example.com");
        return set == null ? "" : set.certificates().getFirst().bundle().serial();
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private static void servesAB(GatewaySnapshot snapshot) {
        assertThat(snapshot.routes().find("a.example.com", "/")).isNotNull();
        assertThat(snapshot.routes().find("b.example.com", "/")).isNotNull();
    }

    private void awaitAppendedRoute(String name) throws IOException {
        append(name, "---\n" + ingress("c", "c.example.com"));
        eventually(() -> assertThat(route("c.example.com")).isNotNull());
    }

    private void append(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text, StandardOpenOption.APPEND);
    }

    /** Longer than a file has to be still to be read. */
    private static void pause() {
        await().pollDelay(Duration.ofMillis(40)).until(() -> true);
    }

    private void replace(String name, String text) throws IOException {
        Path temporary = folder.resolve(name + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static String ingress(String name, String host) {
        return """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: %s}
        spec:
          tls: [{hosts: [%s], secretName: tls}]
          rules:
          - host: %s
            http:
              paths:
              - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
        """
                .transform(text -> String.format(Locale.ROOT, text, name, host, host));
    }

    private static String secret(String serial) {
        return """
        apiVersion: v1
        kind: Secret
        metadata: {name: tls}
        stringData: {tls.crt: "ecdsa %s a.example.com,b.example.com,c.example.com", tls.key: k}
        """
                .transform(text -> String.format(Locale.ROOT, text, serial));
    }

    private static void eventually(ThrowingRunnable claim) {
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(claim);
    }
}
