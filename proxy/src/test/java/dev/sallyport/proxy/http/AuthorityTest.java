package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class AuthorityTest {

    private record Row(String text, String host, int port) {}

    @TestFactory
    Stream<DynamicTest> hostsAndPortsAreRead() {
        return Stream.of(
                        new Row("shop.example", "shop.example", -1),
                        new Row("SHOP.Example", "shop.example", -1),
                        new Row("shop.example.", "shop.example", -1),
                        new Row("shop.example.:80", "shop.example", 80),
                        new Row("shop.example:8443", "shop.example", 8443),
                        new Row("a", "a", -1),
                        new Row("a_b.example", "a_b.example", -1),
                        new Row("10.0.0.1:80", "10.0.0.1", 80),
                        new Row("[::1]", "[::1]", -1),
                        new Row("[2001:DB8::1]:65535", "[2001:db8::1]", 65535))
                .map(row ->
                        dynamicTest(
                                row.text,
                                () ->
                                        assertThat(Authority.parse(row.text))
                                                .isEqualTo(
                                                        new Authority(
                                                                row.text, row.host, row.port))));
    }

    @TestFactory
    Stream<DynamicTest> anythingElseIsRefused() {
        return Stream.of(
                        "",
                        ".",
                        "..",
                        ".a",
                        "a..b",
                        "a..",
                        ":80",
                        "a:",
                        "a:b",
                        "a:65536",
                        "a:000080",
                        "a:-1",
                        "a:80:80",
                        "a b",
                        "a/b",
                        "a@b",
                        "a,b",
                        "a%2eb",
                        "a\\b",
                        "a?b",
                        "a#b",
                        "\u00e4.example",
                        "[::1",
                        "::1",
                        "[]",
                        "[a]",
                        "[::1]a",
                        "[::1%25eth0]",
                        "[::1%eth0]",
                        "[10.0.0.1]",
                        "a".repeat(64) + ".example",
                        "a.".repeat(130) + "example")
                .map(text ->
                        dynamicTest(
                                "'" + text + "'",
                                () -> assertThat(Authority.parse(text)).isNull()));
    }

    @Test
    void portsOfTheSchemeAreTheSameAsNone() {
        Authority plain = new Authority("a", "a", -1);
        assertThat(plain.sameAs(new Authority("a:80", "a", 80), "http")).isTrue();
        assertThat(plain.sameAs(new Authority("a:80", "a", 80), "https")).isFalse();
    }

    /** Seeded. */
    @Test
    void whatIsReadIsNormalAndReadTheSameAgain() {
        SplittableRandom random = new SplittableRandom(7);
        String alphabet = "aZ09.-_:[]%@ /";
        int parsed = 0;
        for (int round = 0; round < 200_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(10); i > 0; i--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            Authority authority = Authority.parse(text.toString());
            if (authority == null) {
                continue;
            }
            parsed++;
            assertThat(authority.host()).matches("[a-z0-9_-]+(\\.[a-z0-9_-]+)*|\\[[0-9a-f:]+\\]");
            assertThat(authority.port()).isBetween(-1, 65535);
            Authority again = Authority.parse(authority.host());
            assertThat(again).isNotNull().extracting(Authority::host).isEqualTo(authority.host());
        }
        assertThat(parsed).isGreaterThan(10_000);
    }
}
