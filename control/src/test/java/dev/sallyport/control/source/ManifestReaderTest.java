package dev.sallyport.control.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.translate.CertificateSource;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.control.translate.SnapshotInvariants;
import dev.sallyport.control.translate.Translation;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.CertificateStatus;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ManifestReaderTest {
    private static final TranslationSettings SETTINGS =
            TranslationSettings.forFolder(List.of(), Optional.empty());
    private static final CertificateSource NO_CERTIFICATES =
            new CertificateSource() {
                @Override
                public CertificateStatus status(ObjectRef secret) {
                    return CertificateStatus.MISSING;
                }

                @Override
                public void release(ObjectRef secret) {}
            };
    private static final String INGRESS =
            """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata:
              name: shop
              namespace: trade
            spec:
              ingressClassName: sallyport
              tls:
              - hosts: [shop.example.com]
                secretName: shop-tls
              rules:
              - host: shop.example.com
                http:
                  paths:
                  - path: /
                    pathType: Prefix
                    backend:
                      service:
                        name: web
                        port:
                          number: 80
            """;
    private static final String OTHERS =
            """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {ports: [{name: http, port: 80, targetPort: web}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
            addressType: IPv4
            endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
            ports: [{name: http, port: 8080}]
            ---
            apiVersion: v1
            kind: Secret
            type: kubernetes.io/tls
            metadata: {name: shop-tls}
            data: {tls.crt: Y2VydA==, tls.key: a2V5}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: trade}
            ---
            apiVersion: networking.k8s.io/v1
            kind: IngressClass
            metadata: {name: sallyport}
            spec: {controller: sallyport.dev/ingress-controller}
            """;

    @Test
    void everyKindIsRead() throws Exception {
        assertThat(read(INGRESS + OTHERS).objects().keySet())
                .extracting(ObjectRef::toString)
                .containsExactly(
                        "Ingress trade/shop",
                        "Service default/web",
                        "EndpointSlice default/web-1",
                        "Secret default/shop-tls",
                        "Namespace trade",
                        "IngressClass sallyport");
        assertThat(read(INGRESS + OTHERS).findings()).isEmpty();
    }

    @Test
    void fieldsKnowTheirLines() throws Exception {
        Resource ingress = read(INGRESS).objects().values().iterator().next();
        assertThat(ingress.origin().location()).contains(new Location("a.yaml", 1));
        assertThat(ingress.origin().at("spec.rules[0].http.paths[0].backend.service"))
                .contains(new Location("a.yaml", 15));
        assertThat(ingress.origin().at("spec.tls[0].hosts[0]")).contains(new Location("a.yaml", 9));
    }

    @Test
    void aWrongTypeIsAFindingAtItsFieldAndTheSiblingsAreRead() throws Exception {
        ManifestFile file = read(INGRESS.replace("number: 80", "number: eighty") + OTHERS);
        assertThat(file.objects()).hasSize(5);
        assertThat(file.invalid()).containsExactly(new ObjectRef("Ingress", "trade", "shop"));
        assertThat(file.findings())
                .containsExactly(
                        new Finding(
                                Reason.OBJECT_INVALID,
                                new ObjectRef("Ingress", "trade", "shop"),
                                Optional.of(new Location("a.yaml", 21)),
                                "spec.rules[0].http.paths[0].backend.service.port.number:"
                                        + " \"eighty\" (expected: a number)",
                                "Correct the field; until then the object is as it was before, if"
                                        + " there was one."));
    }

    @Test
    void anObjectOfAnotherVersionIsThereButInvalid() throws Exception {
        var shop = new ObjectRef("Ingress", "trade", "shop");
        ManifestFile old = read(INGRESS.replace("networking.k8s.io/v1", "extensions/v1beta1"));
        assertThat(old.objects()).isEmpty();
        assertThat(old.invalid()).containsExactly(shop);
        ManifestFile none = read(INGRESS.replaceFirst("apiVersion.*\n", ""));
        assertThat(none.invalid()).containsExactly(shop);
        assertThat(none.findings()).hasSize(1);
    }

    @Test
    void aListThatIsNotOfObjectsMakesNoNoise() throws Exception {
        String list = "kind: BlockList\napiVersion: example.dev/v1\nitems: [x, [y], {kind: z}]\n";
        assertThat(read(list).findings()).isEmpty();
        assertThat(read("kind: IngressList\napiVersion: v1\nitems: [x]\n").findings()).hasSize(1);
    }

    @Test
    void aPartOfAFileHasFewerValues() throws Exception {
        int all = read(INGRESS).values();
        assertThat(all).isGreaterThan(20);
        assertThat(read(INGRESS.replace("number: 80", "number:")).values()).isEqualTo(all);
        assertThat(read(INGRESS.replaceFirst(" *number: 80\n", "")).values()).isLessThan(all);
    }

    @Test
    void typesAreAsStrictAsAnApiServers() throws Exception {
        assertThat(message(INGRESS.replace("number: 80", "number: \"80\"")))
                .contains("number: \"80\" (expected: a number)");
        assertThat(message(INGRESS.replace("path: /", "path: 5")))
                .contains("path: 5 (expected: text)");
        assertThat(message(INGRESS.replace("hosts: [shop.example.com]", "hosts: shop")))
                .contains("spec.tls[0].hosts: \"shop\" (expected: a list)");
        assertThat(message(INGRESS.replace("secretName: shop-tls", "secretName: [a]")))
                .contains("spec.tls[0].secretName: a list (expected: text)");
        assertThat(message(INGRESS.replace("secretName: shop-tls", "secretName: true")))
                .contains("spec.tls[0].secretName: true (expected: text)");
        assertThat(message(INGRESS.replace("  tls:\n  - hosts", "  tls:\n  - hosts: 7\n  - hosts")))
                .contains("spec.tls[0].hosts: 7 (expected: a list)");
    }

    @Test
    void aSecretsValuesAreInNoFinding() throws Exception {
        String text =
                "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {tls.key: [s3cret]}\n";
        assertThat(read(text).findings()).hasSize(1);
        assertThat(read(text).findings().toString()).doesNotContain("s3cret");
    }

    @Test
    void secretsThatAreNotBase64AreInvalid() throws Exception {
        String text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  tls.key: '*'\n";
        assertThat(read(text).invalid()).hasSize(1);
        assertThat(read(text).findings().getFirst().location()).contains(new Location("a.yaml", 5));
    }

    @Test
    void unknownKindsAndFieldsMakeNoNoise() throws Exception {
        ManifestFile file =
                read(
                        INGRESS.replace("spec:", "status: [odd]\nextra: 1\nspec:")
                                + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
                                + "---\nreplicaCount: 1\nimage: {tag: x}\n"
                                + "---\n");
        assertThat(file.objects()).hasSize(1);
        assertThat(file.findings()).isEmpty();
    }

    @Test
    void whatLooksLikeAnObjectButIsNoneIsAFinding() throws Exception {
        assertThat(message("kind: Ingress\nmetadata: {name: a}\n")).contains("apiVersion: missing");
        assertThat(message("apiVersion: v1\nmetadata: {name: a}\n")).contains("kind: missing");
        assertThat(message("just text")).contains("a single value");
        assertThat(message("[1]\n")).contains("a list");
        assertThat(message("apiVersion: v1\nkind: Service\n")).contains("metadata: missing");
        assertThat(message("apiVersion: v1\nkind: Service\nmetadata: {}\n"))
                .contains("metadata.name: missing");
        assertThat(message("apiVersion: v1\nkind: Service\nmetadata: {name: A_b}\n"))
                .contains("metadata.name: A_b");
        assertThat(message("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: B/c}\n"))
                .contains("metadata.namespace: B/c");
    }

    @Test
    void theSecondOfTwoInOneFileIsAFinding() throws Exception {
        ManifestFile file = read(INGRESS + "---\n" + INGRESS);
        assertThat(file.objects()).hasSize(1);
        assertThat(file.findings())
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.OBJECT_DUPLICATE);
                    assertThat(finding.location()).contains(new Location("a.yaml", 23));
                    assertThat(finding.message()).contains("a.yaml:1");
                });
    }

    @Test
    void jsonMayHaveTabsAndSeveralValues() throws Exception {
        String json =
                "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Service\",\n"
                        + "\t\"metadata\": {\"name\": \"%s\"},\n\t\"spec\": {\"ports\": [{\"port\": 80}],"
                        + " \"x\": [true, false, null, 1.5, 99999999999999999999]}\n}\n";
        String text = json.replace("%s", "a") + json.replace("%s", "b");
        ManifestFile file = ManifestReader.read("a.json", text.getBytes(StandardCharsets.UTF_8));
        assertThat(file.objects()).hasSize(2);
        assertThat(file.objects().values())
                .extracting(resource -> resource.origin().line())
                .containsExactly(1, 7);
        assertThat(read(json.replace("%s", "a")).objects()).hasSize(1); // in a .yaml as well
    }

    @Test
    void brokenJsonIsMalformedAtItsLine() {
        assertThatThrownBy(() ->
                        ManifestReader.read(
                                "a.json",
                                "{\n\"a\": 1,\n\"a\": 2}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOfSatisfying(
                        Tree.Malformed.class,
                        malformed -> {
                            assertThat(malformed.line()).isEqualTo(3);
                            assertThat(malformed.text()).contains("uplicate");
                        });
        assertThatThrownBy(() ->
                        ManifestReader.read(
                                "a.json", "[".repeat(5_000).getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(Tree.Malformed.class);
    }

    @Test
    void flowYamlThatLooksLikeJsonIsRead() throws Exception {
        assertThat(read("{apiVersion: v1, kind: Service, metadata: {name: a}}\n").objects())
                .hasSize(1);
    }

    @Test
    void aByteOrderMarkIsSkippedAndOtherEncodingsAreMalformed() throws Exception {
        assertThat(read("\uFEFF" + INGRESS).objects()).hasSize(1);
        assertThatThrownBy(() -> ManifestReader.read("a.yaml", new byte[] {'a', (byte) 0xff}))
                .isInstanceOfSatisfying(
                        Tree.Malformed.class,
                        malformed -> assertThat(malformed.text()).isEqualTo("not UTF-8"));
    }

    @Test
    void mutatedManifestsAreObjectsFindingsOrMalformedButNeverAnException() {
        String[] splices = {
            "\t",
            ": ",
            "- ",
            "&a ",
            "*a",
            "[",
            "]",
            "{",
            "}",
            "'",
            "\"",
            "\n",
            "---\n",
            "|\n",
            "null",
            "!!int ",
            "<<: ",
            "\u0000",
            "\uD83D\uDE00",
            "99999999999",
            "#",
            "%",
            "@",
            "  "
        };
        String valid = INGRESS + OTHERS;
        int read = 0;
        for (int seed = 0; seed < 4_000; seed++) {
            var random = new Random(seed);
            var text = new StringBuilder(valid);
            for (int i = random.nextInt(4); i >= 0 && text.length() > 20; i--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(4)) {
                    case 0 -> text.insert(at, splices[random.nextInt(splices.length)]);
                    case 1 -> text.delete(at, Math.min(text.length(), at + random.nextInt(12)));
                    case 2 -> text.setCharAt(at, (char) random.nextInt(0x250));
                    default -> text.setLength(Math.max(20, at));
                }
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            if (random.nextInt(8) == 0) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            String file = random.nextInt(10) == 0 ? "a.json" : "a.yaml";
            try {
                ManifestFile manifest = ManifestReader.read(file, bytes);
                Translation translation =
                        IncrementalTranslator.translate(
                                manifest.objects().values(), NO_CERTIFICATES, SETTINGS);
                SnapshotInvariants.check(translation);
                assertThat(manifest.findings())
                        .allSatisfy(finding ->
                                assertThat(finding.location().orElseThrow().line()).isPositive());
                read++;
            } catch (Tree.Malformed malformed) {
                assertThat(malformed.text()).as("seed %s", seed).isNotBlank().doesNotContain("\n");
            }
        }
        assertThat(read).isBetween(500, 3_900);
    }

    private static String message(String text) throws Tree.Malformed {
        ManifestFile file = read(text);
        assertThat(file.findings()).hasSize(1);
        return file.findings().getFirst().message();
    }

    private static ManifestFile read(String text) throws Tree.Malformed {
        return ManifestReader.read("a.yaml", text.getBytes(StandardCharsets.UTF_8));
    }
}
