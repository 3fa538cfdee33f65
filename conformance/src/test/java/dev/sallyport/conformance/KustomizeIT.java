package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The overlays of deploy/kustomize against the chart with the values that ask for the same: what
 * one of them has, the other has too.
 */
@Tag("cluster")
final class KustomizeIT {

    private static final Path DEPLOY = Distribution.home().resolve("deploy");
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /**
     * What is the chart's alone: the Pod of `helm test`, and the labels by which Helm knows its
     * objects.
     */
    private static final Set<String> LABELS =
            Set.of("app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart");

    /** What overlays and components configure by variables, below {@code kubernetes}. */
    private static final Map<String, String> KEYS =
            Map.of(
                    "SALLYPORT_KUBERNETES_SECRETS",
                    "secrets",
                    "SALLYPORT_KUBERNETES_WATCH_NAMESPACES",
                    "watch-namespaces",
                    "SALLYPORT_KUBERNETES_LAST_KNOWN_GOOD_FILE",
                    "file",
                    "SALLYPORT_KUBERNETES_LAST_KNOWN_GOOD_KEY_FILE",
                    "key-file");

    @TempDir private Path work;

    static List<Arguments> overlays() {
        return List.of(
                Arguments.of("single", List.of("replicas=1")),
                Arguments.of("ha", List.of("autoscaling.enabled=true")),
                Arguments.of(
                        "namespaced",
                        List.of(
                                "replicas=1",
                                "namespaces={team-a,team-b}",
                                "rbac.ingressClasses=false")),
                Arguments.of(
                        "by-name",
                        List.of(
                                "replicas=1",
                                "secrets.access=by-name",
                                "secrets.names[0].namespace=shop",
                                "secrets.names[0].names={shop-tls}")));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void anOverlayIsWhatTheChartMakesOfTheSameWishes(String overlay, List<String> values) {
        assertThatTheyAreTheSame(kustomized("overlays/" + overlay), charted(values));
    }

    @Test
    void theLastKnownGoodStateIsTheChartsToo() {
        List<JsonNode> plain =
                kustomized(
                        own(
                                """
                                resources: [DEPLOY/kustomize/overlays/single]
                                components: [DEPLOY/kustomize/components/last-known-good]
                                """));
        assertThatTheyAreTheSame(
                plain,
                charted(
                        List.of(
                                "replicas=1",
                                "lastKnownGood.enabled=true",
                                "lastKnownGood.keySecret.name=sallyport-state")));
    }

    /** The configuration is the user's own; the rights are the chart's. */
    @Test
    void theRightsToIssueAreTheChartsToo() {
        List<JsonNode> plain =
                kustomized(
                        own(
                                """
                                resources: [DEPLOY/kustomize/overlays/ha]
                                components: [DEPLOY/kustomize/components/acme]
                                """));
        List<JsonNode> charted = charted(List.of("config.acme.directory=letsencrypt-staging"));
        assertThat(role(plain)).isEqualTo(role(charted));
    }

    private static JsonNode role(List<JsonNode> objects) {
        return objects.stream()
                .filter(it -> it.get("kind").asString().equals("Role"))
                .filter(it -> it.at("/metadata/name").asString("").equals("sallyport"))
                .findFirst()
                .orElseThrow()
                .path("rules");
    }

    /** As docs/install.md has it. */
    @Test
    void theConfigurationCanBeReplaced() throws IOException {
        Path own =
                own(
                        """
                        resources: [DEPLOY/kustomize/overlays/ha]
                        configMapGenerator:
                          - name: sallyport-config
                            namespace: sallyport
                            behavior: replace
                            files: [sallyport.yaml]
                        """);
        Files.writeString(own.resolve("sallyport.yaml"), "tls: {profile: modern}\n");
        List<JsonNode> objects = kustomized(own);
        assertThat(objects)
                .filteredOn(it -> it.get("kind").asString().equals("ConfigMap"))
                .singleElement()
                .satisfies(map -> {
                    assertThat(map.at("/data/sallyport.yaml").asString())
                            .isEqualTo("tls: {profile: modern}\n");
                    assertThat(objects)
                            .filteredOn(it -> it.get("kind").asString().equals("Deployment"))
                            .extracting(it ->
                                    it.at("/spec/template/spec/volumes/0/configMap/name")
                                            .asString())
                            .containsExactly(map.at("/metadata/name").asString());
                });
    }

    private static void assertThatTheyAreTheSame(List<JsonNode> kustomized, List<JsonNode> helmed) {
        Map<String, JsonNode> plain = byName(kustomized);
        Map<String, JsonNode> charted = byName(helmed);

        assertThat(plain.remove("Namespace /sallyport"))
                .as("the namespace, which Helm makes by itself")
                .isNotNull();
        assertThat(charted.remove("Pod sallyport/sallyport-test")).as("the test Pod").isNotNull();
        assertThat(plain.keySet()).isEqualTo(charted.keySet());
        charted.forEach((name, object) -> assertThat(plain.get(name)).as(name).isEqualTo(object));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void thePodsAreAsTheRestrictedStandardWantsThem(String overlay, List<String> values) {
        for (JsonNode object : kustomized("overlays/" + overlay)) {
            if (object.get("kind").asString().equals("Namespace")) {
                assertThat(
                                object.get("metadata")
                                        .get("labels")
                                        .get("pod-security.kubernetes.io/enforce")
                                        .asString())
                        .isEqualTo("restricted");
            }
            if (object.get("kind").asString().equals("Deployment")) {
                JsonNode pod = object.get("spec").get("template").get("spec");
                assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
                assertThat(pod.at("/securityContext/seccompProfile/type").asString())
                        .isEqualTo("RuntimeDefault");
                JsonNode container = pod.at("/containers/0/securityContext");
                assertThat(container.at("/allowPrivilegeEscalation").asBoolean(true)).isFalse();
                assertThat(container.at("/readOnlyRootFilesystem").asBoolean()).isTrue();
                assertThat(container.at("/capabilities/drop/0").asString()).isEqualTo("ALL");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void nobodyMayDoMoreThanTheModeNeeds(String overlay, List<String> values) {
        for (JsonNode role : kustomized("overlays/" + overlay)) {
            for (JsonNode rule : role.path("rules")) {
                String text = role.get("kind").asString() + " " + rule;
                assertThat(text).doesNotContain("\"*\"", "delete", "escalate", "impersonate");
                boolean secrets = rule.get("resources").toString().contains("\"secrets\"");
                boolean cluster = role.get("kind").asString().equals("ClusterRole");
                if (secrets && overlay.equals("by-name")) {
                    assertThat(rule.path("resourceNames").size()).as(text).isPositive();
                }
                assertThat(cluster && overlay.equals("namespaced")).as(text).isFalse();
            }
        }
    }

    @Test
    void theMonitorIsTheChartsToo() {
        List<JsonNode> charted =
                charted(List.of("monitoring.serviceMonitor.enabled=true")).stream()
                        .filter(it -> it.get("kind").asString().equals("ServiceMonitor"))
                        .toList();

        assertThat(charted).hasSize(1);
        assertThat(
                        Yaml.document(
                                        read(
                                                "kustomize/components/service-monitor/service-monitor.yaml"))
                                .get("spec"))
                .isEqualTo(charted.getFirst().get("spec"));
        assertThat(charted.getFirst().at("/spec/endpoints/0/honorLabels").asBoolean())
                .as("the alert rules ask for it")
                .isTrue();
    }

    @Test
    void theChartCarriesTheRulesAndTheDashboard() {
        List<JsonNode> charted =
                charted(
                        List.of(
                                "monitoring.prometheusRule.enabled=true",
                                "monitoring.dashboard.enabled=true"));

        assertThat(charted)
                .filteredOn(it -> it.get("kind").asString().equals("PrometheusRule"))
                .extracting(it -> it.get("spec"))
                .containsExactly(Yaml.document(read("monitoring/alerts.yaml")));
        assertThat(charted)
                .filteredOn(it -> it.path("data").has("sallyport.json"))
                .extracting(it -> it.get("data").get("sallyport.json").asString().strip())
                .containsExactly(read("monitoring/dashboard.json").strip());
    }

    /** In a form in which the same is equal, by kind, namespace and name. */
    private static Map<String, JsonNode> byName(List<JsonNode> objects) {
        Map<String, String> flags = new HashMap<>();
        Map<String, JsonNode> named = new TreeMap<>();
        for (JsonNode object : objects) {
            String kind = object.get("kind").asString();
            JsonNode metadata = object.get("metadata");
            LABELS.forEach(label -> removeEverywhere(object, label));
            ObjectNode fields = (ObjectNode) object.deepCopy();
            fields.remove("metadata");
            switch (kind) {
                case "Deployment" -> flags.putAll(settle(fields));
                case "ConfigMap" -> fields = null;
                case "NetworkPolicy" -> withoutTheTest(fields);
                case "ClusterRole", "Role" -> sortRules(fields);
                case "ClusterRoleBinding", "RoleBinding" ->
                        ((ObjectNode) fields.get("roleRef")).remove("name");
                default -> {}
            }
            if (fields != null) {
                named.put(name(kind, metadata), fields);
            }
        }
        named.put("configuration", configuration(objects, flags));
        return named;
    }

    /** Names of roles are whoever's taste. */
    private static String name(String kind, JsonNode metadata) {
        String namespace = metadata.path("namespace").asString("");
        return kind
                + " "
                + namespace
                + "/"
                + (kind.contains("Role") ? "" : metadata.get("name").asString());
    }

    private static void removeEverywhere(JsonNode node, String field) {
        if (node instanceof ObjectNode object) {
            object.remove(field);
        }
        node.forEach(each -> removeEverywhere(each, field));
    }

    /** Takes out what may differ; returns what flags and variables configure. */
    private static Map<String, String> settle(ObjectNode deployment) {
        Map<String, String> settings = new TreeMap<>();
        ObjectNode template = (ObjectNode) deployment.get("spec").get("template");
        ((ObjectNode) template.get("metadata"))
                .remove("annotations"); // the chart's way to a rollout
        ObjectNode container = (ObjectNode) template.at("/spec/containers/0");
        assertThat(container.remove("image").asString()).startsWith("localhost/sallyport");
        ((ObjectNode) template.at("/spec/volumes/0/configMap")).remove("name");
        var variables = container.get("env").iterator();
        while (variables.hasNext()) {
            JsonNode variable = variables.next();
            String key = KEYS.get(variable.get("name").asString());
            if (key != null) {
                settings.put(key, variable.get("value").asString());
                variables.remove();
            }
        }
        return settings;
    }

    private static JsonNode configuration(List<JsonNode> objects, Map<String, String> settings) {
        for (JsonNode object : objects) {
            if (object.get("kind").asString().equals("ConfigMap")) {
                JsonNode file = Yaml.document(object.get("data").get("sallyport.yaml").asString());
                ObjectNode kubernetes = (ObjectNode) file.get("kubernetes");
                settings.forEach((key, value) -> {
                    switch (key) {
                        case "watch-namespaces" -> {
                            var list = kubernetes.putArray(key);
                            Stream.of(value.split(",", -1)).forEach(list::add);
                        }
                        case "file", "key-file" ->
                                kubernetes.withObject("/last-known-good").put(key, value);
                        default -> kubernetes.put(key, value);
                    }
                });
                return file;
            }
        }
        throw new AssertionError("no ConfigMap");
    }

    private static void withoutTheTest(ObjectNode policy) {
        for (JsonNode rule : policy.at("/spec/ingress")) {
            var peers = rule.path("from").iterator();
            while (peers.hasNext()) {
                if (peers.next().toString().contains("\"test\"")) {
                    peers.remove();
                }
            }
        }
    }

    private static void sortRules(ObjectNode role) {
        List<String> rules = new ArrayList<>();
        for (JsonNode rule : role.get("rules")) {
            var fields = new TreeMap<String, String>();
            rule.properties().forEach(it -> fields.put(it.getKey(), it.getValue().toString()));
            rules.add(fields.toString());
        }
        assertThat(new HashSet<>(rules)).as("a rule stands twice").hasSameSizeAs(rules);
        role.remove("rules");
        var sorted = role.putArray("rules");
        rules.stream().sorted().forEach(sorted::add);
    }

    /** A kustomization of one's own, beside the repository's. */
    private Path own(String lines) {
        try {
            Path folder = Files.createDirectory(work.toRealPath().resolve("own"));
            String deploy = folder.relativize(DEPLOY.toRealPath()).toString();
            Files.writeString(
                    folder.resolve("kustomization.yaml"),
                    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
                            + lines.replace("DEPLOY", deploy));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<JsonNode> kustomized(String folder) {
        return kustomized(DEPLOY.resolve("kustomize").resolve(folder));
    }

    private static List<JsonNode> kustomized(Path target) {
        String kubectl = TestBed.program("kubectl", "kubernetes");
        Ran ran = Ran.run(LIMIT, List.of(kubectl, "kustomize", target.toString()));
        assertThat(ran.exit()).as(ran.all()).isZero();
        return Yaml.documents(ran.out());
    }

    private static List<JsonNode> charted(List<String> values) {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "template",
                                "sallyport",
                                Helm.chart().toString(),
                                "--namespace",
                                "sallyport"));
        values.forEach(value -> words.addAll(List.of("--set", value)));
        return Yaml.documents(Helm.offline().ok(words.toArray(String[]::new)));
    }

    private static String read(String file) {
        try {
            return Files.readString(DEPLOY.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
