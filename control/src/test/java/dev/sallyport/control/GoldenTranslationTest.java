package dev.sallyport.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.control.reconcile.CatalogSource;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FolderSettings;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.control.translate.BackendReference;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.control.translate.SnapshotInvariants;
import dev.sallyport.control.translate.Translation;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.secretsync.CertificateCatalog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Runs {@code translate/<sentence>.in.yaml} and compares with {@code <sentence>.out.yaml}, each in
 * the order written and shuffled. {@code -Dgolden.update} writes the outputs anew. A document of
 * kind {@code Settings} sets what an operator would.
 */
class GoldenTranslationTest {
    private static final Path CASES = Path.of("src/test/resources/translate");
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final CertificateSet FALLBACK =
            CertificateSet.of(
                    List.of(
                            new ServedCertificate(
                                    Placeholders.bundle(
                                            "ecdsa",
                                            "ff",
                                            List.of("sallyport.invalid"),
                                            "2020-01-01",
                                            "2040-01-01"),
                                    ObjectRef.gateway("self-signed"),
                                    NOW,
                                    false)));

    @TempDir Path temp;

    @TestFactory
    Stream<DynamicTest> everyCaseTranslatesToItsOutput() throws IOException {
        return cases().stream().map(in -> DynamicTest.dynamicTest(sentence(in), () -> runCase(in)));
    }

    @Test
    void everyOutputHasAnInput() throws IOException {
        Set<String> sentences = new HashSet<>();
        cases().forEach(in -> sentences.add(sentence(in)));
        try (Stream<Path> files = Files.list(CASES)) {
            assertThat(files.map(GoldenTranslationTest::sentence)).allMatch(sentences::contains);
        }
        assertThat(sentences).hasSizeGreaterThan(40);
    }

    private static List<Path> cases() throws IOException {
        try (Stream<Path> files = Files.list(CASES)) {
            return files.filter(file -> file.toString().endsWith(".in.yaml")).sorted().toList();
        }
    }

    private static String sentence(Path file) {
        return file.getFileName().toString().replaceFirst("\\.(in|out)\\.yaml$", "");
    }

    private void runCase(Path in) throws IOException {
        Path folder = Files.createTempDirectory(temp, "case");
        Files.copy(in, folder.resolve("in.yaml"));
        TranslationSettings settings = settings(in);
        String printed = translate(folder, settings, new Random(0), false);
        Path out = CASES.resolve(sentence(in) + ".out.yaml");
        if (System.getProperty("golden.update") != null) {
            Files.writeString(out, printed);
        }
        assertThat(printed).isEqualTo(Files.readString(out));
        for (int seed = 1; seed <= 3; seed++) {
            assertThat(translate(folder, settings, new Random(seed), true)).isEqualTo(printed);
        }
    }

    private static String translate(
            Path folder, TranslationSettings settings, Random random, boolean shuffled) {
        SourceUpdate read = FolderSource.read(folder, FolderSettings.DEFAULT, Runnable::run);
        var catalog =
                new CertificateCatalog(
                        Placeholders.READER, Runnable::run, InstantSource.fixed(NOW));
        List<Resource> resources = new ArrayList<>();
        for (ResourceChange change : read.changes()) {
            Resource resource = change.now().orElseThrow();
            if (resource instanceof Resource.OfSecret secret) {
                catalog.put(secret.material());
            }
            resources.add(resource);
        }
        if (shuffled) {
            Collections.shuffle(resources, random);
        }
        var translator = new IncrementalTranslator(settings, new CatalogSource(catalog));
        resources.forEach(resource -> translator.accept(ResourceChange.put(resource)));
        read.findings().forEach(translator::report);
        Translation translation = translator.translate();
        SnapshotInvariants.check(translation);
        return TranslationPrinter.print(translation).replace(folder + "/", "");
    }

    private static TranslationSettings settings(Path in) throws IOException {
        var load = new Load(LoadSettings.builder().build());
        for (Object document : load.loadAllFromString(Files.readString(in))) {
            if (document instanceof Map<?, ?> map && "Settings".equals(map.get("kind"))) {
                return settings(map);
            }
        }
        return settings(Map.of());
    }

    private static AcmeRules acme(Map<?, ?> map) {
        Parsed<AllowList> allowed =
                AllowList.parse(ObjectRef.gateway("test"), list(map, "allowed"));
        return new AcmeRules(
                list(map, "issuers"),
                Boolean.TRUE.equals(map.get("everyHost")),
                ((Parsed.Usable<AllowList>) allowed).value(),
                Boolean.TRUE.equals(map.get("wildcards")),
                "acme",
                AcmeRules.GATEWAY,
                Optional.empty());
    }

    private static List<String> list(Map<?, ?> map, String key) {
        List<?> values = (List<?>) map.get(key);
        return values == null ? List.of() : values.stream().map(String::valueOf).toList();
    }

    private static TranslationSettings settings(Map<?, ?> map) {
        Optional<String> certificate = Optional.ofNullable((String) map.get("defaultCertificate"));
        return new TranslationSettings(
                List.of(),
                texts(map, "ingressClasses"),
                texts(map, "controllers"),
                !Boolean.FALSE.equals(map.get("alone")),
                !Boolean.FALSE.equals(map.get("httpsRedirect")),
                new HttpsRedirect(308, 443),
                Optional.ofNullable((String) map.get("defaultBackend"))
                        .map(BackendReference::parse),
                certificate.map(name -> new ObjectRef("Secret", "default", name)),
                Optional.of(FALLBACK),
                Boolean.TRUE.equals(map.get("strictSni")),
                new AddressGuard(
                        !Boolean.FALSE.equals(map.get("loopbackEndpoints")), ownAddresses(map)),
                !Boolean.FALSE.equals(map.get("externalNames")),
                Optional.ofNullable((Map<?, ?>) map.get("acme")).map(GoldenTranslationTest::acme));
    }

    private static Set<String> texts(Map<?, ?> map, String key) {
        return map.get(key) instanceof List<?> all
                ? new HashSet<>(all.stream().map(String::valueOf).toList())
                : Set.of();
    }

    /** {@code ownAddresses: [10.0.0.1]}, {@code ownSockets: ["10.1.0.1:8443"]}. */
    private static OwnAddresses ownAddresses(Map<?, ?> map) {
        return new OwnAddresses(
                texts(map, "ownAddresses").stream()
                        .map(InetAddress::ofLiteral)
                        .collect(Collectors.toSet()),
                texts(map, "ownSockets").stream()
                        .map(text -> text.split(":", 2))
                        .map(parts ->
                                new InetSocketAddress(
                                        InetAddress.ofLiteral(parts[0]),
                                        Integer.parseInt(parts[1])))
                        .collect(Collectors.toSet()));
    }
}
