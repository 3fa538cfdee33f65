package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.model.route.Challenge;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerLinesTest {
    private static final AlpnCertificate ALPN =
            AlpnCertificate.of(Identifier.parse("192.0.2.1"), "t.thumbprint", AcmeFixture.NOW);
    private static final List<AcmeAnswer> ALL =
            List.of(
                    new AcmeAnswer.Http(new Challenge("shop.example", "t0_-"), "t0_-.Th-u_mb"),
                    new AcmeAnswer.Http(new Challenge(Challenge.ANY_HOST, "t1"), "t1.x"),
                    new AcmeAnswer.TlsAlpn(ALPN.serverName(), ALPN.bundle()));

    @Test
    void whatIsWrittenIsRead() {
        List<AcmeAnswer> read = AnswerLines.read(AnswerLines.of(ALL));
        assertThat(read.subList(0, 2)).isEqualTo(ALL.subList(0, 2));
        var alpn = (AcmeAnswer.TlsAlpn) read.get(2);
        assertThat(alpn.serverName()).isEqualTo("1.2.0.192.in-addr.arpa");
        assertThat(alpn.certificate().chain().getFirst())
                .isEqualTo(ALPN.bundle().chain().getFirst());
        assertThat(AnswerLines.read(AnswerLines.of(List.of()))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "http-01",
                "http-01 shop.example t",
                "http-01 shop.example t t.x more",
                "http-01 Shop.Example t t.x",
                "http-01 no_host! t t.x",
                "http-01 shop.example no/token t.x",
                "http-01 shop.example t an\u0001swer",
                "http-01 shop.example t <script>",
                "tls-alpn-01 shop.example AAAA AAAA",
                "tls-alpn-01 shop.example not-base64! AAAA",
                "tls-alpn-01 * AAAA AAAA",
                "dns-01 shop.example t t.x"
            })
    void whatSaysNothingIsPassedOver(String line) {
        String good = "http-01 shop.example t t.x";
        byte[] text = (line + "\n" + good + "\n").getBytes(StandardCharsets.UTF_8);
        assertThat(AnswerLines.read(text))
                .containsExactly(new AcmeAnswer.Http(new Challenge("shop.example", "t"), "t.x"));
    }

    @Test
    void whateverTheBytesTheyHarmNothing() {
        var random = new Random(42);
        byte[] sound = AnswerLines.of(ALL);
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = sound.clone();
            for (int j = random.nextInt(8); j >= 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            assertThat(AnswerLines.read(bytes)).hasSizeLessThanOrEqualTo(16);
        }
    }

    @Test
    void thereIsABound() {
        List<AcmeAnswer> many = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            many.add(
                    new AcmeAnswer.Http(
                            new Challenge("h" + i + ".shop.example", "t" + i), "t" + i + ".x"));
        }
        byte[] text = AnswerLines.of(many);
        assertThat(text).hasSizeLessThanOrEqualTo(AnswerLines.MOST_BYTES);
        assertThat(AnswerLines.read(text))
                .isEqualTo(many.subList(0, AnswerLines.read(text).size()));
        assertThat(AnswerLines.read(new byte[AnswerLines.MOST_BYTES + 1])).isEmpty();
    }
}
