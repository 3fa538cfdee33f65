package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is in the image's archive. How it runs is tried on a cluster, by {@link ReleaseIT}. */
@Tag("cluster")
final class ImageIT {

    private static final Set<String> ELSEWHERE =
            // Jackson asks for annotations of java.beans and does without.
            Set.of("java.desktop");

    /** ELF's numbers of machines. */
    private static final Map<String, Integer> MACHINES = Map.of("amd64", 62, "arm64", 183);

    @TempDir private static Path work;
    private static Image image;
    private static Path root;
    private static JsonNode config;
    private static List<Entry> entries;

    @BeforeAll
    static void unpack() throws IOException {
        image = Image.built();
        Path layout = Files.createDirectory(work.resolve("layout"));
        root = Files.createDirectory(work.resolve("root"));
        ok("tar", "--extract", "--file", image.archive().toString(), "-C", layout.toString());
        JsonNode manifest = image.file("manifest.json").path(0);
        config = image.file(manifest.path("Config").stringValue());
        Stream.Builder<Entry> all = Stream.builder();
        for (JsonNode layer : manifest.path("Layers")) {
            String file = layout.resolve(layer.stringValue()).toString();
            ok("tar", "--list", "--verbose", "--numeric-owner", "--gzip", "--file", file)
                    .lines()
                    .map(Entry::parse)
                    .forEach(all);
            ok("tar", "--extract", "--gzip", "--file", file, "-C", root.toString());
        }
        entries = all.build().toList();
    }

    @Test
    void theSameInputsMakeTheSameBytes() {
        Path again = work.resolve("again.tar");
        Image.build(
                "--aot",
                image.aotCache().toString(),
                "--packages",
                image.packages().toString(),
                again.toString());
        assertThat(sha256(again)).isEqualTo(sha256(image.archive()));
        assertThat(Path.of(again + ".cdx.json")).hasSameTextualContentAs(image.billOfMaterials());
    }

    @Test
    void theAotCacheIsAloneInItsLayer() throws IOException {
        assertThat(root.resolve("app/sallyport.aot")).hasSameBinaryContentAs(image.aotCache());
        JsonNode last =
                image.file("manifest.json").path(0).path("Layers").values().stream()
                        .reduce((_, next) -> next)
                        .orElseThrow();
        assertThat(
                        ok(
                                        "tar",
                                        "--list",
                                        "--gzip",
                                        "--file",
                                        work.resolve("layout")
                                                .resolve(last.stringValue())
                                                .toString())
                                .lines())
                .containsExactly("app/sallyport.aot");
    }

    @Test
    void itRunsAsANumericUserThatIsNotRoot() {
        JsonNode run = config.path("config");
        assertThat(run.path("User").stringValue()).isEqualTo("65532:65532");
        assertThat(run.path("Entrypoint").path(0).stringValue()).isEqualTo("/app/sallyport");
    }

    @Test
    void nothingInItIsAShell() throws IOException {
        Set<String> programs =
                files(root)
                        .filter(Files::isExecutable)
                        .map(file -> root.relativize(file).toString())
                        .filter(name -> !name.matches(".*\\.so(\\.[0-9.]+)?"))
                        .collect(toSet());
        assertThat(programs)
                .containsExactlyInAnyOrder(
                        "app/sallyport", "opt/java/bin/java", "opt/java/lib/jspawnhelper");
    }

    @Test
    void allIsRootsAndNobodyElseMayWriteButInTmp() {
        assertThat(entries)
                .hasSizeGreaterThan(100)
                .allSatisfy(entry -> {
                    assertThat(entry.owner()).as(entry.name()).isEqualTo("0/0");
                    if (!entry.name().equals("tmp/") && !entry.mode().startsWith("l")) {
                        assertThat(entry.mode()).as(entry.name()).matches("[-d]rw[-x]r-[-x]r-[-x]");
                    }
                });
    }

    @Test
    void theRuntimeHasTheModulesThatTheJarsNeed() throws IOException {
        String said =
                ok(
                        Stream.concat(
                                        Stream.of(
                                                Path.of(
                                                                System.getProperty("java.home"),
                                                                "bin/jdeps")
                                                        .toString(),
                                                "--ignore-missing-deps",
                                                "--multi-release",
                                                "25",
                                                "--print-module-deps",
                                                // Some jars are modules that name others; each by
                                                // itself, since a folder may have a module once.
                                                "--module-path",
                                                files(root.resolve("app/lib"))
                                                        .map(Path::toString)
                                                        .collect(joining(":"))),
                                        files(root.resolve("app/lib")).map(Path::toString))
                                .toArray(String[]::new));
        Set<String> needed =
                Arrays.stream(said.strip().lines().reduce("", (_, line) -> line).split(",", -1))
                        .filter(module -> !ELSEWHERE.contains(module))
                        .collect(toSet());
        String release = Files.readString(root.resolve("opt/java/release"), UTF_8);
        assertThat(needed).contains("java.base", "jdk.httpserver");
        assertThat(release.lines().filter(line -> line.startsWith("MODULES=")).findFirst())
                .hasValueSatisfying(line ->
                        assertThat(line.replaceAll("MODULES=|\"", "").split(" ", -1))
                                .containsAll(needed));
    }

    @Test
    void theNativeLibrariesAreUnpackedAndForThisMachine() throws IOException {
        String arch = config.path("architecture").stringValue();
        assertThat(files(root.resolve("app/native")))
                .hasSize(3)
                .allSatisfy(file -> assertThat(machine(file)).isEqualTo(MACHINES.get(arch)));
    }

    @Test
    void theOtherArchitecturesImageHasItsOwnRuntimeAndLibraries() throws IOException {
        String other =
                config.path("architecture").stringValue().equals("amd64") ? "arm64" : "amd64";
        Path its = work.resolve("other");
        Image.build("--arch", other, "--root", its.toString());
        List<Path> native_ = files(its).filter(ImageIT::isElf).toList();
        assertThat(native_)
                .hasSizeGreaterThan(15)
                .allSatisfy(file ->
                        assertThat(machine(file)).as("%s", file).isEqualTo(MACHINES.get(other)));
        assertThat(files(its.resolve("app/native"))).hasSize(3);
        // The jars are the same: registries keep their layer once.
        for (Path jar : files(root.resolve("app/lib")).toList()) {
            assertThat(its.resolve("app/lib").resolve(jar.getFileName()))
                    .hasSameBinaryContentAs(jar);
        }
    }

    @Test
    void theBillOfMaterialsNamesEveryJarAndWhatIsNative() throws IOException {
        JsonNode bill =
                JsonMapper.shared().readTree(Files.readString(image.billOfMaterials(), UTF_8));
        List<JsonNode> components = Json.items(bill.path("components")).toList();
        Set<String> hashes =
                components.stream()
                        .map(each -> each.path("hashes").path(0).path("content").asString())
                        .collect(toSet());
        for (String folder : List.of("app/lib", "app/native")) {
            assertThat(files(root.resolve(folder)))
                    .isNotEmpty()
                    .allSatisfy(file -> assertThat(hashes).as("%s", file).contains(sha256(file)));
        }
        Map<String, String> versions =
                components.stream()
                        .filter(each -> each.has("version"))
                        .collect(
                                toMap(
                                        each ->
                                                each.path("purl")
                                                        .stringValue()
                                                        .replaceFirst("@.*", ""),
                                        each -> each.path("version").stringValue(),
                                        (one, _) -> one));
        assertThat(versions.get("pkg:generic/boringssl")).matches("[0-9a-f]{40}");
        assertThat(versions)
                .containsKeys(
                        "pkg:generic/apr",
                        "pkg:deb/debian/libc6",
                        "pkg:deb/debian/zlib1g",
                        "pkg:deb/debian/libstdc%2B%2B6",
                        "pkg:deb/debian/openjdk-25-jdk-headless",
                        "pkg:maven/io.netty/netty-tcnative-boringssl-static",
                        "pkg:maven/dev.sallyport/sallyport-app");
        // As scanners look for them.
        assertThat(root.resolve("var/lib/dpkg/status.d/libc6"))
                .content()
                .contains("Version: " + versions.get("pkg:deb/debian/libc6"));
    }

    /** What is written down of the inside is not what a builder's machine is called. */
    @Test
    void nothingTellsWhereItWasBuilt() throws IOException {
        String home = Distribution.home().toString();
        assertThat(Files.readString(image.billOfMaterials(), UTF_8)).doesNotContain(home);
        assertThat(Files.readString(root.resolve("app/run.options"), UTF_8)).doesNotContain(home);
    }

    @Test
    void aMistakeInACallIsExplained() {
        String build = Distribution.home().resolve("deploy/image/build").toString();
        assertThat(Ran.run(build, "--arch", "riscv64").err())
                .contains("--arch: riscv64 (expected: amd64 or arm64)");
        assertThat(Ran.run(build, "--aot", "/nowhere").err())
                .contains("--aot: /nowhere: not there");
        assertThat(Ran.run(build, "--shell").err()).contains("--shell (expected: --arch");
    }

    private static Stream<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all
                    .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .toList()
                    .stream();
        }
    }

    private static boolean isElf(Path file) {
        byte[] head = head(file);
        return head.length == 20 && head[0] == 0x7f && head[1] == 'E' && head[2] == 'L';
    }

    /** {@code e_machine} of an ELF file, little-endian. */
    private static int machine(Path file) {
        byte[] head = head(file);
        return Byte.toUnsignedInt(head[18]) | Byte.toUnsignedInt(head[19]) << 8;
    }

    private static byte[] head(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(20);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(Path file) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private static String ok(String... command) {
        Ran ran = Ran.run(Duration.ofMinutes(2), List.of(command));
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + ran.all());
        }
        return ran.out();
    }

    /**
     * A line of {@code tar --list --verbose}.
     *
     * @param mode for instance {@code -rw-r--r--}
     * @param owner user and group, as numbers
     * @param name with a slash at its end where it is a folder
     */
    private record Entry(String mode, String owner, String name) {
        static Entry parse(String line) {
            String[] words = line.split(" +", 6);
            return new Entry(words[0], words[1], words[5]);
        }
    }
}
