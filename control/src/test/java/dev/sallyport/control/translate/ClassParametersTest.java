package dev.sallyport.control.translate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClassParametersTest {
    private static final ObjectRef REF = new ObjectRef("ConfigMap", "edge", "tuning");
    private static final HttpsRedirect USUAL = new HttpsRedirect(308, 8443);

    private static ClassParameters.Reading read(Map<String, String> data, ClassParameters before) {
        ConfigMap configMap = new ConfigMapBuilder().withData(data).build();
        return ClassParameters.read(
                Resource.OfConfigMap.of(REF, configMap, Origin.API_SERVER), before);
    }

    @ParameterizedTest
    @CsvSource({
        "redirect.enabled, true, true",
        "redirect.enabled, ' false ', true",
        "redirect.enabled, yes, false",
        "redirect.enabled, '', false",
        "redirect.status, 302, true",
        "redirect.status, 304, false",
        "redirect.port, 1, true",
        "redirect.port, 65535, true",
        "redirect.port, 0, false",
        "redirect.port, 65536, false",
        "redirect.port, 99999999999, false",
        "redirect.port, -1, false",
        "redirect.port, +443, false",
        "redirect.port, ٤٤٣, false",
        "acme, true, true",
        "acme, corporate-ca, true",
        "acme, Corporate, false",
        "acme, -, false",
        "redirect, true, false"
    })
    void aParameterIsTakenOrSaidToBeWrong(String key, String value, boolean good) {
        List<Finding> findings = read(Map.of(key, value), ClassParameters.NONE).findings();
        assertThat(findings).hasSize(good ? 0 : 1);
        assertThat(findings)
                .allSatisfy(finding -> assertThat(finding.message()).startsWith(key + ": "));
    }

    @ParameterizedTest
    @CsvSource({
        "true, '', '', '', '308 8443'", // of the gateway, then of the class
        "true, true, '', '', '308 8443'",
        "true, false, 301, '', ''",
        "true, '', 301, 443, '301 443'",
        "false, '', 301, '', ''",
        "false, true, '', '', '308 8443'",
        "false, true, 307, 443, '307 443'"
    })
    void theRedirectIsTheClassesThenTheGateways(
            boolean gateway, String enabled, String status, String port, String expected) {
        Map<String, String> data = new HashMap<>();
        data.put("redirect.enabled", enabled);
        data.put("redirect.status", status);
        data.put("redirect.port", port);
        data.values().removeIf(String::isEmpty);
        Optional<HttpsRedirect> redirect =
                read(data, ClassParameters.NONE).parameters().redirect(gateway, USUAL);
        assertThat(redirect.map(it -> it.status() + " " + it.port()).orElse(""))
                .isEqualTo(expected);
    }

    @Test
    void aWrongValueIsAsBeforeAndOneThatIsTakenOutIsGone() {
        ClassParameters good =
                read(Map.of("redirect.status", "301", "acme", "true"), ClassParameters.NONE)
                        .parameters();
        assertThat(read(Map.of("redirect.status", "x"), good).parameters())
                .isEqualTo(
                        new ClassParameters(
                                Optional.empty(),
                                Optional.of(301),
                                Optional.empty(),
                                Optional.empty()));
    }

    /** Whoever may write the ConfigMap writes into findings, Events and logs by it. */
    @Test
    void whateverIsWrittenTheReadingIsBoundedAndPrintable() {
        var random = new Random(7);
        for (int round = 0; round < 300; round++) {
            Map<String, String> data = new HashMap<>();
            for (int i = random.nextInt(6); i >= 0; i--) {
                data.put(
                        switch (random.nextInt(5)) {
                            case 0 -> "redirect.enabled";
                            case 1 -> "redirect.status";
                            case 2 -> "redirect.port";
                            case 3 -> "acme";
                            default -> text(random, 300);
                        },
                        text(random, random.nextInt(50) == 0 ? 1 << 20 : 40));
            }
            ClassParameters.Reading reading = read(data, ClassParameters.NONE);
            assertThat(reading.findings())
                    .hasSizeLessThan(8)
                    .allSatisfy(finding -> {
                        assertThat(finding.message()).hasSizeLessThan(256);
                        assertThat(finding.message()).doesNotContainPattern("\\p{Cntrl}");
                    });
            reading.parameters().redirect(true, USUAL); // never throws
        }
    }

    private static String text(Random random, int longest) {
        var text = new StringBuilder();
        for (int i = random.nextInt(longest); i >= 0; i--) {
            text.append((char) (random.nextInt(4) == 0 ? random.nextInt(0x3000) : '0' + i % 10));
        }
        return text.toString();
    }
}
