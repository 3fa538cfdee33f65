package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
                "secrets: {access: by-name, names: [{namespace: shop}]}",
                "publish: {from: addresses}",
                "publish: {from: service, addresses: [192.0.2.1]}",
                "publish: {from: nodes, service: edge/front}",
                "publish: {from: addresses, addresses: [192.0.2.1], service: edge/front}",
                "publish: {service: front}",
                "service: {type: ExternalName}",
                "service: {httpsPort: 70000}",
                "ingressClass: {parameters: {redirect.staus: 301}}",
                "ingressClass: {parameters: {redirect.status: 200}}",
                "image: {digest: latest}",
                "termination: {delaySeconds: 15s}",
                "jvmOptions: [Xmx1g]",
                "monitoring: {serviceMonitor: {enable: true}}",
                "podLabels: {team: 1}",
                "podLabels: {app.kubernetes.io/instance: other}",
                "podAnnotations: {checksum/config: a}",
                "nameOverride: Edge",
                "fullnameOverride: 1edge",
                "service: {type: ClusterIP, httpsNodePort: 30443}",
                "service: {labels: {app.kubernetes.io/name: other}}",
                "extraPorts: [{name: https, containerPort: 9443, port: 9443}]",
                "extraPorts: [{name: partners, containerPort: 8443, port: 9443}]",
                "extraPorts: [{name: partners, port: 9443}]",
                "lastKnownGood: {enabled: true}",
                "lastKnownGood: {volume: {emptyDir: {}, ephemeral: {}}}",
                "lastKnownGood: {volume: {hostPath: {path: /var/lib/sallyport}}}",
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
                "config: {resources: /etc/objects}",
                "config: {kubernetes: {kubeconfig: /etc/kubeconfig}}",
                "config: {kubernetes: {watch-namespaces: [shop]}}",
                "config: {kubernetes: {publish-service: edge/edge}}",
                "config: {kubernetes: {publish-addresses: [192.0.2.1]}}",
                "config: {kubernetes: {lease-namespace: edge}}",
                "config: {ingress: {classes: [edge]}}",
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
        String configuration = configuration(Helm.offline().template(values));
        Path key = work.resolve("key");
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        Files.write(key, random);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("r--r-----"));
        Path file =
                Files.writeString(
                        work.resolve("sallyport.yaml"),
                        configuration.replace("/etc/sallyport-state-key/key", key.toString()),
                        UTF_8);
        Ran ran = Distribution.run("config", "--config", file.toString());
        assertThat(ran.exit()).as(ran.all()).isZero();
    }

    /** As {@code --reuse-values} of an older release leaves them: new keys are not there. */
    @Test
    void valuesThatAnOlderReleaseDoesNotKnowMayBeMissing() {
        Path older = Helm.values(work, "{lastKnownGood: null, extraPorts: null}");
        assertThat(Helm.offline().template(older)).isEqualTo(Helm.offline().template());
        Path on =
                Helm.values(
                        work,
                        "lastKnownGood: {enabled: true, keySecret: {name: a, key: null}, volume: null}");
        JsonNode pod = pod(Helm.offline().template(on));
        assertThat(named(pod.path("volumes"), "last-known-good").path("emptyDir").isObject())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "secrets: {access: by-name, names: [{namespace: a, names: [b]}, {namespace: a, names: [c]}]}"
                        + " | secrets.names: namespace a stands twice",
                "autoscaling: {enabled: true, minReplicas: 5, maxReplicas: 2}"
                        + " | autoscaling.minReplicas: 5 (expected: no more than autoscaling.maxReplicas, 2)",
                "{service: {type: ClusterIP}, extraPorts: [{name: a, containerPort: 1024, port: 1, nodePort: 30000}]}"
                        + " | extraPorts: nodePort (expected: none with service.type ClusterIP)",
                "ingressClass: {create: false, parameters: {acme: false}}"
                        + " | ingressClass.parameters: there is no class to have them",
                "{namespaces: [a], rbac: {ingressClasses: false}, ingressClass: {parameters: {acme: false}}}"
                        + " | ingressClass.parameters: they take the right to read IngressClasses",
            })
    void whatContradictsItselfIsRefused(String values, String message) {
        Path file = Helm.values(work, values);
        Ran ran =
                Helm.offline()
                        .run(
                                "template",
                                "edge",
                                Helm.chart().toString(),
                                "--values",
                                file.toString());
        assertThat(ran.exit()).isNotZero();
        assertThat(ran.err()).contains(message);
    }

    /** So that {@code kubectl exec … sallyport config} says what the gateway runs with. */
    @Test
    void everyCommandInTheContainerHasTheConfiguration() {
        JsonNode container = container(Helm.offline().template());
        assertThat(texts(container.path("args"))).containsExactly("run");
        assertThat(text(named(container.path("env"), "SALLYPORT_CONFIG"), "value"))
                .isEqualTo("/etc/sallyport/sallyport.yaml");
    }

    @Test
    void aFurtherListenerIsReachedThroughContainerServiceAndPolicy() {
        List<JsonNode> objects = Helm.offline().template(CI.resolve("everything-values.yaml"));
        assertThat(
                        named(container(objects).path("ports"), "partners")
                                .path("containerPort")
                                .asInt())
                .isEqualTo(9443);
        JsonNode service =
                of(objects, "Service").stream()
                        .filter(each -> text(each.path("metadata"), "name").equals("edge"))
                        .findFirst()
                        .orElseThrow();
        JsonNode port = named(service.path("spec").path("ports"), "partners");
        assertThat(text(port, "targetPort")).isEqualTo("partners");
        assertThat(port.path("nodePort").asInt()).isEqualTo(30944);
        assertThat(one(objects, "NetworkPolicy").at("/spec/ingress/0/ports").toString())
                .contains("partners");
    }

    /** Two Pods that share a file would keep each other from writing it. */
    @Test
    void aClaimHasAFolderForEachNode() {
        List<JsonNode> objects = Helm.offline().template(CI.resolve("everything-values.yaml"));
        assertThat(
                        text(
                                named(container(objects).path("volumeMounts"), "last-known-good"),
                                "subPathExpr"))
                .isEqualTo("$(NODE_NAME)");
        Path empty = Helm.values(work, "lastKnownGood: {enabled: true, keySecret: {name: a}}");
        assertThat(
                        named(
                                        container(Helm.offline().template(empty))
                                                .path("volumeMounts"),
                                        "last-known-good")
                                .has("subPathExpr"))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | 443",
                "service: {httpsPort: 8443} | 8443",
                "service: {type: NodePort} | 443",
                "{publish: {from: nodes}, service: {type: NodePort, httpsNodePort: 30443}} | 30443",
                "{publish: {from: addresses, addresses: [192.0.2.1]},"
                        + " service: {type: NodePort, httpsNodePort: 30443}} | 443",
                "{config: {redirect: {port: 444}}, service: {httpsPort: 8443}} | 444",
            })
    void theRedirectLeadsWhereClientsReachHttps(String values, int port) {
        String configuration = configuration(Helm.offline().template(Helm.values(work, values)));
        assertThat(Yaml.document(configuration).path("redirect").path("port").asInt(443))
                .isEqualTo(port);
    }

    /** Whoever may not look at IngressClasses knows them by their names. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{namespaces: [a], rbac: {ingressClasses: false}, ingressClass: {name: edge}} | [\"edge\"]",
                "{namespaces: [a], rbac: {ingressClasses: false}} | []",
                "{namespaces: [a], ingressClass: {name: edge}} | []",
                "{namespaces: [a], rbac: {ingressClasses: false}, ingressClasses: [b]} | [\"b\"]",
            })
    void aClassThatMayNotBeReadIsNamed(String values, String classes) {
        String configuration = configuration(Helm.offline().template(Helm.values(work, values)));
        JsonNode written = Yaml.document(configuration).path("ingress").path("classes");
        assertThat(written.isMissingNode() ? "[]" : written.toString()).isEqualTo(classes);
    }

    /**
     * Of ConfigMaps none may be read but this one, and it is not asked for where it is not there.
     */
    @Test
    void theParametersOfTheClassAreAConfigMapThatMayBeReadByItsName() {
        assertThat(rules(Helm.offline().template()))
                .noneMatch(rule -> texts(rule.path("resources")).contains("configmaps"));
        String values =
                "{namespaces: [a], ingressClass: {parameters: {redirect.status: 301, acme: false}}}";
        List<JsonNode> objects = Helm.offline().template(Helm.values(work, values));
        JsonNode named = one(objects, "IngressClass").at("/spec/parameters");
        assertThat(text(named, "kind")).isEqualTo("ConfigMap");
        assertThat(text(named, "scope")).isEqualTo("Namespace");
        JsonNode configMap =
                of(objects, "ConfigMap").stream()
                        .filter(each ->
                                each.path("metadata").path("name").equals(named.path("name")))
                        .findFirst()
                        .orElseThrow();
        assertThat(configMap.path("metadata").path("namespace")).isEqualTo(named.path("namespace"));
        assertThat(configMap.path("data").toString())
                .isEqualTo("{\"acme\":\"false\",\"redirect.status\":\"301\"}");
        assertThat(of(objects, "Role"))
                .filteredOn(each -> byName(each, "configmaps"))
                .singleElement()
                .satisfies(role -> {
                    assertThat(role.path("metadata").path("namespace"))
                            .isEqualTo(named.path("namespace"));
                    assertThat(rules(List.of(role)))
                            .filteredOn(
                                    rule -> texts(rule.path("resources")).contains("configmaps"))
                            .singleElement()
                            .satisfies(rule -> {
                                assertThat(texts(rule.path("resourceNames")))
                                        .containsExactly(text(named, "name"));
                                assertThat(texts(rule.path("verbs")))
                                        .containsExactlyInAnyOrder("get", "list", "watch");
                            });
                    assertThat(rules(List.of(role)))
                            .anyMatch(rule -> texts(rule.path("resources")).contains("events"));
                });
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
    void whoIssuesMayWriteTheSecretsOfItsOwnNamespaceAndNoOthers() {
        String acme = "{config: {acme: {directory: letsencrypt-staging, agree-terms: true}}}";
        List<JsonNode> objects = Helm.offline().template(Helm.values(work, acme));
        List<JsonNode> writing =
                objects.stream()
                        .filter(object ->
                                rules(List.of(object)).stream()
                                        .filter(rule ->
                                                texts(rule.path("resources")).contains("secrets"))
                                        .anyMatch(rule ->
                                                texts(rule.path("verbs")).contains("create")))
                        .toList();
        assertThat(writing)
                .singleElement()
                .satisfies(role -> {
                    assertThat(text(role, "kind")).isEqualTo("Role");
                    assertThat(text(role.path("metadata"), "name"))
                            .isEqualTo(
                                    text(
                                            of(objects, "Deployment").getFirst().path("metadata"),
                                            "name"));
                });
    }

    /** Its addresses are published, and of Services by name only it is granted. */
    @ParameterizedTest
    @CsvSource({
        "public, front, edge-sallyport-NAMESPACE-publish",
        "NAMESPACE, front, edge-sallyport"
    })
    void anotherServiceInFrontIsReadInsteadOfItsOwn(String namespace, String name, String role) {
        List<JsonNode> own = Helm.offline().template();
        String ours = text(one(own, "Deployment").path("metadata"), "namespace");
        String of = namespace.replace("NAMESPACE", ours);
        List<JsonNode> objects =
                Helm.offline()
                        .template(
                                Helm.values(
                                        work,
                                        String.format(
                                                Locale.ROOT,
                                                "{publish: {service: %s/%s},"
                                                        + " service: {type: NodePort, httpsNodePort: 30443}}",
                                                of,
                                                name)));
        JsonNode configuration = Yaml.document(configuration(objects));
        assertThat(text(configuration.path("kubernetes"), "publish-service"))
                .isEqualTo(of + "/" + name);
        // What is in front does not have our Service's node port.
        assertThat(configuration.has("redirect")).isFalse();
        assertThat(of(objects, "Role"))
                .filteredOn(each -> byName(each, "services"))
                .singleElement()
                .satisfies(each -> {
                    assertThat(text(each.path("metadata"), "namespace")).isEqualTo(of);
                    assertThat(text(each.path("metadata"), "name"))
                            .isEqualTo(role.replace("NAMESPACE", ours));
                    assertThat(rules(List.of(each)))
                            .filteredOn(rule -> texts(rule.path("resources")).contains("services"))
                            .singleElement()
                            .satisfies(rule -> {
                                assertThat(texts(rule.path("resourceNames"))).containsExactly(name);
                                assertThat(texts(rule.path("verbs")))
                                        .containsExactlyInAnyOrder("get", "list", "watch");
                            });
                });
        assertThat(of(objects, "RoleBinding"))
                .filteredOn(each ->
                        text(each.path("roleRef"), "name").equals(role.replace("NAMESPACE", ours)))
                .singleElement()
                .satisfies(
                        each -> assertThat(text(each.path("metadata"), "namespace")).isEqualTo(of));
    }

    private static boolean byName(JsonNode role, String resource) {
        return rules(List.of(role)).stream()
                .anyMatch(rule ->
                        texts(rule.path("resources")).contains(resource)
                                && rule.has("resourceNames"));
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
    void inListedNamespacesNothingIsGrantedOutsideThemButNamedSecrets() {
        List<JsonNode> objects = Helm.offline().template(CI.resolve("namespaced-values.yaml"));
        assertThat(of(objects, "ClusterRole")).isEmpty();
        assertThat(of(objects, "ClusterRoleBinding")).isEmpty();
        assertThat(namespaces(of(objects, "Role")))
                .containsExactlyInAnyOrder("shop", "forum", "certificates", "default");
        List<JsonNode> elsewhere =
                of(objects, "Role").stream()
                        .filter(role ->
                                text(role.path("metadata"), "namespace").equals("certificates"))
                        .toList();
        assertThat(rules(elsewhere))
                .hasSize(2)
                .anySatisfy(rule ->
                        assertThat(texts(rule.path("resourceNames"))).containsExactly("wildcard"))
                .anySatisfy(rule ->
                        assertThat(texts(rule.path("resources"))).containsExactly("events"));
    }

    /** An IngressClass has no namespace, so its Events are in {@code default}. */
    @Test
    void whoReadsClassesMayWriteEventsAboutThem() {
        String asked = "{fullnameOverride: edge, namespaces: [shop, NAMESPACE]}";
        List<JsonNode> objects =
                Helm.offline().template(Helm.values(work, asked.replace("NAMESPACE", "forum")));
        List<JsonNode> roles =
                of(objects, "Role").stream()
                        .filter(role -> text(role.path("metadata"), "name").endsWith("-events"))
                        .toList();
        assertThat(namespaces(roles)).containsExactly("default");
        assertThat(rules(roles))
                .hasSize(1)
                .allSatisfy(rule -> {
                    assertThat(texts(rule.path("resources"))).containsExactly("events");
                    assertThat(texts(rule.path("verbs")))
                            .containsExactlyInAnyOrder("create", "get", "patch");
                });
        assertThat(of(objects, "RoleBinding"))
                .anyMatch(binding -> text(binding.path("roleRef"), "name").endsWith("-events"));

        List<JsonNode> listed =
                Helm.offline().template(Helm.values(work, asked.replace("NAMESPACE", "default")));
        assertThat(of(listed, "Role"))
                .noneMatch(role -> text(role.path("metadata"), "name").endsWith("-events"));
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

    private static JsonNode pod(List<JsonNode> objects) {
        return one(objects, "Deployment").path("spec").path("template").path("spec");
    }

    private static JsonNode container(List<JsonNode> objects) {
        return pod(objects).path("containers").path(0);
    }

    private static JsonNode named(JsonNode list, String name) {
        return Json.items(list)
                .filter(each -> text(each, "name").equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + list));
    }

    private static Set<String> namespaces(List<JsonNode> objects) {
        return objects.stream()
                .map(each -> text(each.path("metadata"), "namespace"))
                .collect(toSet());
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
