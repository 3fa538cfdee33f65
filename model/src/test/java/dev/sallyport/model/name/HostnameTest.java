package dev.sallyport.model.name;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class HostnameTest {

    @Test
    void upperCaseIsFolded() {
        assertThat(Hostname.parse("Shop.EXAMPLE.com").text()).isEqualTo("shop.example.com");
    }

    @Test
    void internationalNamesBecomeAsciiLabels() {
        assertThat(Hostname.parse("Bücher.example").text()).isEqualTo("xn--bcher-kva.example");
        assertThat(Hostname.parse("*.bücher.example").text()).isEqualTo("*.xn--bcher-kva.example");
    }

    @Test
    void namesThatProgramsDisagreeOnAreRefused() {
        for (String name :
                List.of(
                        "straße.example",
                        "STRAẞE.example",
                        "*.βόλος.example",
                        "a\u200db.example",
                        "a\u200cb.example")) {
            assertThatThrownBy(() -> Hostname.parse(name))
                    .as(name)
                    .hasMessageContaining("(expected: its xn-- form, since U+");
        }
        assertThat(Hostname.parse("xn--strae-oqa.example").text())
                .isEqualTo("xn--strae-oqa.example");
    }

    @Test
    void oneTrailingDotIsDropped() {
        assertThat(Hostname.parse("a.example.")).isEqualTo(new Hostname.Exact("a.example"));
        assertThat(Hostname.normalise("A.example.")).isEqualTo("a.example");
    }

    @Test
    void aSecondTrailingDotIsNot() {
        assertThat(Hostname.normalise("a.example..")).isEqualTo("a.example.");
        assertThat(Hostname.tryParse("a.example..")).isEmpty();
        assertThat(Hostname.normalise(".")).isEqualTo(".");
    }

    @Test
    void whatIsTooLongForANameIsNotEvenCopied() {
        String dots = ".".repeat(60_000);
        String capitals = "A".repeat(60_000);

        assertThat(Hostname.normalise(dots)).isSameAs(dots);
        assertThat(Hostname.normalise(capitals)).isSameAs(capitals);
        assertThatThrownBy(() -> Hostname.parse(dots))
                .hasMessage("host: 59999 characters (expected: at most 253)");
        assertThatThrownBy(() -> Hostname.parse("ü".repeat(60_000)))
                .hasMessage("host: 60000 characters (expected: at most 253)");
    }

    @Test
    void theLongestNameIsNormalised() {
        String longest = ("A".repeat(49) + ".").repeat(5) + "abc"; // 253 characters

        assertThat(Hostname.normalise(longest + ".")).isEqualTo(longest.toLowerCase(Locale.ROOT));
        assertThat(Hostname.parse(longest + ".").text()).hasSize(Hostname.MAX_LENGTH);
        assertThat(Hostname.tryParse(longest + "d")).isEmpty();
    }

    @Test
    void aWildcardStandsForExactlyOneLabel() {
        Hostname wildcard = Hostname.parse("*.example.com");

        assertThat(wildcard.covers("a.example.com")).isTrue();
        assertThat(wildcard.covers("a.b.example.com")).isFalse();
        assertThat(wildcard.covers("example.com")).isFalse();
        assertThat(wildcard.covers(".example.com")).isFalse();
        assertThat(wildcard.covers("a.notexample.com")).isFalse();
    }

    @Test
    void anExactNameCoversItself() {
        Hostname exact = Hostname.parse("a.example.com");

        assertThat(exact.covers("a.example.com")).isTrue();
        assertThat(exact.covers("b.example.com")).isFalse();
        assertThat(Hostname.parse("*.example.com").covers(exact)).isTrue();
        assertThat(exact.covers(Hostname.parse("*.example.com"))).isFalse();
        assertThat(Hostname.parse("*.example.com").covers(Hostname.parse("*.example.com")))
                .isTrue();
    }

    @Test
    void whatIsNoDnsNameIsRefused() {
        for (String bad :
                List.of(
                        "",
                        "*",
                        "*.",
                        ".",
                        "a..b",
                        "-a.example",
                        "a-.example",
                        "a b",
                        "a/b",
                        "a*.example",
                        "*.*.example",
                        "foo.*.example",
                        "1.2.3.4",
                        "127.1",
                        "0x7f000001",
                        "127.0x1",
                        "[::1]",
                        "a:80",
                        "a\u0000b",
                        "x".repeat(64) + ".example",
                        ("a".repeat(60) + ".").repeat(5) + "example")) {
            assertThatThrownBy(() -> Hostname.parse(bad))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("host: ");
            assertThat(Hostname.tryParse(bad)).isEmpty();
        }
    }

    @Test
    void normalisingReturnsTheSameObjectWhereNothingChanges() {
        String host = "a.example.com";

        assertThat(Hostname.normalise(host)).isSameAs(host);
    }

    @Test
    void aTurkishLocaleChangesNothing() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("tr"));

            assertThat(Hostname.parse("MAIL.EXAMPLE").text()).isEqualTo("mail.example");
            assertThat(Hostname.normalise("MAIL.EXAMPLE")).isEqualTo("mail.example");
        } finally {
            Locale.setDefault(before);
        }
    }
}
