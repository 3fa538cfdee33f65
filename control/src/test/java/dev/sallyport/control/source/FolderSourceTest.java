package dev.sallyport.control.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

class FolderSourceTest {
    @TempDir Path folder;

    @Test
    void foldersAreReadToTheirDepthsInTheOrderOfPaths() throws Exception {
        write("b/x.yml", service("one", 81));
        write("a/deep/x.yaml", service("one", 80));
        write(
                "c.json",
                "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n\"}}");
        write("notes.txt", "kind: [");
        write(".hidden.yaml", "kind: [");
        write(".git/x.yaml", "kind: [");
        SourceUpdate update = FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run);
        assertThat(update.changes())
                .extracting(change -> change.ref().toString())
                .containsExactlyInAnyOrder("Service default/one", "Namespace n");
        assertThat(findings(update))
                .singleElement()
                .satisfies(finding ->
                        assertThat(finding.location().orElseThrow().file()).endsWith("b/x.yml"));
    }

    @Test
    void aLoopOfLinksEnds() throws Exception {
        write("a/x.yaml", service("one", 80));
        Files.createSymbolicLink(folder.resolve("a/up"), Path.of(".."));
        Files.createSymbolicLink(folder.resolve("a/self.yaml"), Path.of("self.yaml"));
        SourceUpdate update = FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run);
        assertThat(update.changes()).hasSize(1);
        assertThat(findings(update))
                .extracting(Finding::reason)
                .containsExactly(Reason.FILE_UNREADABLE);
    }

    @Test
    void aLinkToNowhereIsAFinding() throws Exception {
        Files.createSymbolicLink(folder.resolve("x.yaml"), Path.of("nowhere"));
        assertThat(findings(FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run)))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("does not exist"));
    }

    @Test
    void aPipeIsAFindingAndDoesNotBlock() throws Exception {
        Process made = new ProcessBuilder("mkfifo", folder.resolve("x.yaml").toString()).start();
        assertThat(made.waitFor(5, TimeUnit.SECONDS) && made.exitValue() == 0).isTrue();
        assertThat(findings(FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run)))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("not a regular file"));
    }

    @Test
    void aDeviceBehindALinkIsAFindingAndIsNotRead() throws Exception {
        Files.createSymbolicLink(folder.resolve("x.yaml"), Path.of("/dev/zero"));
        assertThat(findings(FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run)))
                .extracting(Finding::reason)
                .containsExactly(Reason.FILE_UNREADABLE);
    }

    @Test
    void boundsOnSizeCountAndDepthAreFindings() throws Exception {
        write("a.yaml", service("a", 80) + "#".repeat(2_000));
        write("b.yaml", service("b", 80));
        write("c.yaml", service("c", 80));
        write("d/e/f.yaml", service("f", 80)); // d is as deep as may be
        var settings =
                new FolderSettings(
                        false,
                        Duration.ofSeconds(2),
                        Duration.ofMillis(8),
                        Duration.ofMillis(100),
                        1_000,
                        2,
                        1);
        SourceUpdate update = FolderSource.read(folder, settings, Runnable::run);
        assertThat(update.changes()).extracting(change -> change.ref().name()).containsExactly("b");
        assertThat(findings(update))
                .extracting(Finding::reason)
                .containsOnly(Reason.LIMIT_EXCEEDED)
                .hasSize(3);
    }

    @Test
    void aMissingFolderIsAFinding() {
        assertThat(
                        findings(
                                FolderSource.read(
                                        folder.resolve("none"),
                                        FolderSettings.DEFAULT,
                                        Runnable::run)))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("does not exist"));
    }

    @Test
    void aFileInPlaceOfTheFolderIsAFinding() throws Exception {
        write("x.yaml", "");
        assertThat(
                        findings(
                                FolderSource.read(
                                        folder.resolve("x.yaml"),
                                        FolderSettings.DEFAULT,
                                        Runnable::run)))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("not a folder"));
    }

    @Test
    void manyFilesAreReadSideBySideAndTheFirstByPathCounts() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            write("i" + i % 10 + "/" + i + ".yaml", service("s" + i % 500, i));
        }
        try (var readers = Executors.newFixedThreadPool(4)) {
            SourceUpdate update = FolderSource.read(folder, FolderSettings.DEFAULT, readers);
            SourceUpdate alone = FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run);
            assertThat(update).isEqualTo(alone);
            assertThat(update.changes()).hasSize(500);
            assertThat(update.findings()).hasSize(500);
        }
    }

    @Test
    void aBugEndsOneLookOnly() throws Exception {
        write("a.yaml", service("a", 80));
        var broken = new AtomicBoolean();
        FileAccess access =
                new FileAccess() {
                    @Override
                    public BasicFileAttributes attributes(Path path, LinkOption... options)
                            throws IOException {
                        if (broken.getAndSet(false)) {
                            throw new StackOverflowError("a bug");
                        }
                        return SYSTEM.attributes(path, options);
                    }

                    @Override
                    public InputStream open(Path file) throws IOException {
                        return SYSTEM.open(file);
                    }
                };
        Queue<String> changed = new ConcurrentLinkedQueue<>();
        try (var source =
                new FolderSource(
                        folder,
                        polling(),
                        update -> update.changes().forEach(c -> changed.add(c.ref().name())),
                        Runnable::run,
                        System::nanoTime,
                        access)) {
            source.start();
            await().until(() -> changed.contains("a"));
            broken.set(true);
            await().untilFalse(broken);
            write("b.yaml", service("b", 80));
            await().until(() -> changed.contains("b"));
        }
    }

    @Test
    void aFolderIsToldWhenAllOfItIsReadAndNotBefore() throws Exception {
        int files = 80; // read in more than one part
        for (int i = 0; i < files; i++) {
            write(100 + i + ".yaml", service("s" + i, 80));
        }
        var broken = new AtomicBoolean(true);
        FileAccess access =
                new FileAccess() {
                    @Override
                    public BasicFileAttributes attributes(Path path, LinkOption... options)
                            throws IOException {
                        return SYSTEM.attributes(path, options);
                    }

                    @Override
                    public InputStream open(Path file) throws IOException {
                        if (file.endsWith("179.yaml") && broken.getAndSet(false)) {
                            throw new StackOverflowError("a bug");
                        }
                        return SYSTEM.open(file);
                    }
                };
        Queue<Integer> changes = new ConcurrentLinkedQueue<>();
        try (var source =
                new FolderSource(
                        folder,
                        polling(),
                        update -> changes.add(update.changes().size()),
                        Runnable::run,
                        System::nanoTime,
                        access)) {
            source.start();
            await().until(() -> !changes.isEmpty());
            assertThat(broken).isFalse();
            assertThat(changes).containsExactly(files);
        }
    }

    @Test
    void aFolderWithoutObjectsIsToldAsWell() {
        var told = new AtomicInteger();
        try (var source = source(_ -> told.incrementAndGet())) {
            source.start();
            await().until(() -> told.get() == 1);
        }
    }

    @Test
    void theTimeSinceTheLastLookIsKnown() {
        var clock = new AtomicLong();
        try (var source =
                new FolderSource(
                        folder, FolderSettings.DEFAULT, _ -> {}, Runnable::run, clock::get)) {
            assertThat(source.sinceLastLook()).isEmpty();
            source.start();
            await().until(() -> source.sinceLastLook().isPresent());
            clock.addAndGet(Duration.ofMillis(1_999).toNanos()); // the next is due at 2 s
            assertThat(source.sinceLastLook()).contains(Duration.ofMillis(1_999));
        }
    }

    @Test
    void afterClosingNothingIsTold() throws Exception {
        var told = new AtomicInteger();
        var source = source(_ -> told.incrementAndGet());
        source.start();
        await().until(() -> told.get() == 1);
        source.close();
        int count = told.get();
        write("a.yaml", service("a", 80));
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals("folder-watcher"));
        assertThat(told.get()).isEqualTo(count);
    }

    @Tag("slow")
    @Test
    void tenThousandFilesAreReadInSeconds(TestReporter reporter) throws Exception {
        for (int i = 0; i < 10_000; i++) {
            write("n" + i % 100 + "/i" + i + ".yaml", ingress(i));
        }
        var cpu = ManagementFactory.getThreadMXBean();
        long before = cpu.getCurrentThreadCpuTime();
        long began = System.nanoTime();
        SourceUpdate update = FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run);
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        long busy = TimeUnit.NANOSECONDS.toMillis(cpu.getCurrentThreadCpuTime() - before);
        reporter.publishEntry(
                "10,000 Ingress files read in " + millis + " ms, of which on a core " + busy);
        assertThat(update.changes()).hasSize(10_000);
        assertThat(millis).isLessThan(30_000);
    }

    private FolderSource source(Consumer<SourceUpdate> sink) {
        return new FolderSource(folder, polling(), sink, Runnable::run, System::nanoTime);
    }

    private static FolderSettings polling() {
        return new FolderSettings(
                false,
                Duration.ofMillis(10),
                Duration.ofMillis(8),
                Duration.ofMillis(100),
                1 << 20,
                100,
                8);
    }

    private static List<Finding> findings(SourceUpdate update) {
        return update.findings().values().stream().flatMap(List::stream).toList();
    }

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Files.writeString(file, text);
    }

    private static String service(String name, int port) {
        return "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {ports: [{port: %d}]}\n"
                .transform(text -> String.format(Locale.ROOT, text, name, port));
    }

    private static String ingress(int i) {
        return """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: shop-%d
        spec:
          tls:
          - hosts: [shop-%d.example.com]
            secretName: shop-%d
          rules:
          - host: shop-%d.example.com
            http:
              paths:
              - path: /
                pathType: Prefix
                backend: {service: {name: web, port: {number: 80}}}
        """
                .transform(text -> String.format(Locale.ROOT, text, i, i, i, i));
    }
}
