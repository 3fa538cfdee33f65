package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The Helm chart by itself: what it makes of values. Tagged since helm comes with the test bed. */
@Tag("cluster")
final class ChartIT {

    private static final Path CI = Helm.chart().resolve("ci");

    @TempDir private Path work;

    static List<Path> values() {
        try (Stream<Path> files = Files.list(CI)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void itsDefaultsAreFlawless() {
        Helm.offline().ok("lint", "--strict", Helm.chart().toString());
    }

    @ParameterizedTest
    @MethodSource("values")
    void itsExamplesAreFlawless(Path values) {
        Helm.offline()
                .ok("lint", "--strict", "--values", values.toString(), Helm.chart().toString());
        assertThat(Helm.offline().template(values))
                .allSatisfy(object -> {
                    JsonNode labels = object.path("metadata").path("labels");
                    assertThat(text(labels, "app.kubernetes.io/name")).isEqualTo("sallyport");
                    assertThat(text(labels, "app.kubernetes.io/instance")).isEqualTo("edge");
                });
    }

    @Test
    void everyValueIsDescribedAndHasADefault() throws IOException {
        JsonNode schema =
                Yaml.document(Files.readString(Helm.chart().resolve("values.schema.json"), UTF_8));
        JsonNode values =
                Yaml.document(Files.readString(Helm.chart().resolve("values.yaml"), UTF_8));
        assertThat(described(schema, "")).isEqualTo(given(values, schema, ""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "replicas: two",
                "replica: 2",
                "namespaces: shop",
                "namespaces: [Shop]",
                "secrets: {access: by-label}",
                "secrets: {access: by-type, names: [{namespace: shop, names: [shop-tls]}]}",
                "secrets: {access: by-name, names: [{namespace: shop}]}",
                "publish: {from: addresses}",
                "publish: {from: service, addresses: [192.0.2.1]}",
                "service: {type: ExternalName}",
                "service: {httpsPort: 70000}",
                "image: {digest: latest}",
                "termination: {delaySeconds: 15s}",
                "jvmOptions: [Xmx1g]",
                "monitoring: {serviceMonitor: {enable: true}}",
                "podLabels: {team: 1}",
                "lastKnownGood: {enabled: true}",
                "lastKnownGood: {volume: {emptyDir: {}, hostPath: {path: /var/lib/sallyport}}}",
            })
    void nonsenseIsRefused(String nonsense) {
        String values = Helm.values(work, nonsense).toString();
        Ran ran =
                Helm.offline().run("template", "edge", Helm.chart().toString(), "--values", values);
        assertThat(ran.exit()).as(nonsense).isNotZero();
        assertThat(ran.err()).contains("values don't meet the specifications of the schema");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config: {kubernetes: {secrets: by-name}}",
                "config: {listeners: {admin: 127.0.0.1:9090}}",
                "config: {timeouts: {drain: 1h}}",
                "{lastKnownGood: {enabled: true, keySecret: {name: a}},"
                        + " config: {kubernetes: {last-known-good: {file: /tmp/a}}}}",
            })
    void aKeyOfTheConfigurationThatTheChartSetsIsRefused(String twice) {
        String values = Helm.values(work, twice).toString();
        Ran ran =
                Helm.offline().run("template", "edge", Helm.chart().toString(), "--values", values);
        assertThat(ran.exit()).as(twice).isNotZero();
        assertThat(ran.err()).contains("the chart sets it");
    }

    @ParameterizedTest
    @MethodSource("values")
    void theGatewayTakesTheConfiguration(Path values) throws IOException {
        Path file =
                Files.writeString(
                        work.resolve("sallyport.yaml"),
                        configuration(Helm.offline().template(values)),
                        UTF_8);
        Ran ran = Distribution.run("config", "--config", file.toString());
        assertThat(ran.exit()).as(ran.all()).isZero();
    }

    @ParameterizedTest
    @MethodSource("values")
    void noRightIsMoreThanAsked(Path values) {
        List<JsonNode> objects = Helm.offline().template(values);
        assertThat(rules(objects))
                .isNotEmpty()
                .allSatisfy(rule -> {
                    assertThat(rule.toString()).doesNotContain("\"*\"");
                    assertThat(texts(rule.path("verbs")))
                            .doesNotContain("delete", "deletecollection", "bind", "escalate");
                    if (texts(rule.path("resources")).contains("secrets")) {
                        assertThat(texts(rule.path("verbs")))
                                .containsExactlyInAnyOrder("get", "list", "watch");
                    }
                });
    }

    @Test
    void byNameNoSecretIsReadThatIsNotNamed() {
        List<JsonNode> objects = Helm.offline().template(CI.resolve("by-name-values.yaml"));
        List<JsonNode> secrets =
                rules(objects).stream()
                        .filter(rule -> texts(rule.path("resources")).contains("secrets"))
                        .toList();
        assertThat(secrets)
                .hasSize(2)
                .allSatisfy(rule -> assertThat(rule.path("resourceNames")).isNotEmpty());
        assertThat(of(objects, "ClusterRole"))
                .allSatisfy(role -> assertThat(role.toString()).doesNotContain("secrets"));
    }

    @Test
    void inListedNamespacesNothingIsGrantedOutsideThem() {
        List<JsonNode> objects = Helm.offline().template(CI.resolve("namespaced-values.yaml"));
        assertThat(of(objects, "ClusterRole")).isEmpty();
        assertThat(of(objects, "ClusterRoleBinding")).isEmpty();
        assertThat(
                        of(objects, "Role").stream()
                                .map(role -> text(role.path("metadata"), "namespace"))
                                .collect(toSet()))
                .containsExactlyInAnyOrder("shop", "forum", "default");
    }

    /** It is killed no sooner than it says that it may take. */
    @ParameterizedTest
    @MethodSource("values")
    void aPodHasTheTimeToDrain(Path values) {
        List<JsonNode> objects = Helm.offline().template(values);
        JsonNode timeouts = Yaml.document(configuration(objects)).path("timeouts");
        JsonNode pod = one(objects, "Deployment").path("spec").path("template").path("spec");
        assertThat(pod.path("terminationGracePeriodSeconds").asInt())
                .isGreaterThan(
                        seconds(timeouts.path("drain-delay").stringValue())
                                + seconds(timeouts.path("drain").stringValue()));
    }

    /** The gateway's file, in the one ConfigMap that has it. */
    private static String configuration(List<JsonNode> objects) {
        List<String> files =
                of(objects, "ConfigMap").stream()
                        .map(map -> map.path("data").path("sallyport.yaml"))
                        .filter(JsonNode::isString)
                        .map(JsonNode::stringValue)
                        .toList();
        assertThat(files).hasSize(1);
        return files.getFirst();
    }

    private static int seconds(String duration) {
        assertThat(duration).endsWith("s");
        return Integer.parseInt(duration.substring(0, duration.length() - 1));
    }

    private static List<JsonNode> rules(List<JsonNode> objects) {
        return Stream.of("ClusterRole", "Role")
                .flatMap(kind -> of(objects, kind).stream())
                .flatMap(role -> Json.items(role.path("rules")))
                .toList();
    }

    private static List<JsonNode> of(List<JsonNode> objects, String kind) {
        return objects.stream().filter(each -> text(each, "kind").equals(kind)).toList();
    }

    private static JsonNode one(List<JsonNode> objects, String kind) {
        List<JsonNode> all = of(objects, kind);
        assertThat(all).as(kind).hasSize(1);
        return all.getFirst();
    }

    private static String text(JsonNode object, String key) {
        return object.path(key).asString();
    }

    private static Set<String> texts(JsonNode list) {
        return Json.items(list).map(JsonNode::asString).collect(toSet());
    }

    /** The keys of a schema's objects that take only known ones. */
    private static Set<String> described(JsonNode schema, String path) {
        return schema.path("properties")
                .propertyStream()
                .filter(each -> !each.getKey().equals("global"))
                .flatMap(each -> {
                    String at = path + "/" + each.getKey();
                    return Stream.concat(Stream.of(at), described(each.getValue(), at).stream());
                })
                .collect(toSet());
    }

    /** The keys of values, as deep as the schema names keys. */
    private static Set<String> given(JsonNode values, JsonNode schema, String path) {
        return values.propertyStream()
                .flatMap(each -> {
                    String at = path + "/" + each.getKey();
                    JsonNode inside = schema.path("properties").path(each.getKey());
                    return Stream.concat(
                            Stream.of(at),
                            inside.path("properties").isObject()
                                    ? given(each.getValue(), inside, at).stream()
                                    : Stream.of());
                })
                .collect(toSet());
    }
}
