package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sallyport.model.route.PathMatch;
import dev.sallyport.proxy.ProxySettings.EscapedSlashes;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class RequestTargetTest {
    private static final String[] PIECES = {
        "/",
        "/",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%5C",
        "%41",
        "%7e",
        "%c3%A4",
        "a",
        "b;c",
        ";",
        "?",
        "?a=%2e/..",
        "%00",
        "%",
        "%g0",
        "\\",
        "#",
        "~",
        "-",
        "%3b",
        "//",
        "%25",
        "%252e",
        "\u00e4",
        "|",
        "%7c",
        "{}",
        "[0]",
        "\"",
        "<>",
        "^`"
    };

    @TestFactory
    Stream<DynamicTest> pathsAreNormalised() {
        return Map.ofEntries(
                        Map.entry("/", "/"),
                        Map.entry("/a/b", "/a/b"),
                        Map.entry("/a/", "/a/"),
                        Map.entry("//a//b", "//a//b"),
                        Map.entry("/a/./b", "/a/b"),
                        Map.entry("/a/../b", "/b"),
                        Map.entry("/a/..", "/"),
                        Map.entry("/a/.", "/a/"),
                        Map.entry("/a/b/../..", "/"),
                        Map.entry("/a//../b", "/a/b"),
                        Map.entry("/%2e/a", "/a"),
                        Map.entry("/a/%2E%2e/b", "/b"),
                        Map.entry("/a/.%2e/b", "/b"),
                        Map.entry("/.well-known/a", "/.well-known/a"),
                        Map.entry("/...", "/..."),
                        Map.entry("/..a", "/..a"),
                        Map.entry("/a..", "/a.."),
                        Map.entry("/%61%7E%2D%5f", "/a~-_"),
                        Map.entry("/%2f", "/%2F"),
                        Map.entry("/%5c", "/%5C"),
                        Map.entry("/%c3%a4", "/%C3%A4"),
                        Map.entry("/%252e%252e", "/%252e%252e"),
                        Map.entry("/a;b=c", "/a;b=c"),
                        Map.entry("/%3F", "/%3F"),
                        Map.entry("/a|b{c}", "/a%7Cb%7Bc%7D"))
                .entrySet()
                .stream()
                .map(row ->
                        dynamicTest(
                                row.getKey(),
                                () ->
                                        assertThat(keep(row.getKey()).path())
                                                .isEqualTo(row.getValue())));
    }

    @TestFactory
    Stream<DynamicTest> pathsThatMeanDifferentThingsToDifferentBackendsAreRefused() {
        return Stream.of(
                        "",
                        "a",
                        "*",
                        "http://a/",
                        "/..",
                        "/../a",
                        "/a/../..",
                        "/%2e%2e",
                        "/a\\b",
                        "/\\..\\a",
                        "/a#b",
                        "/a?b#c",
                        "/%00",
                        "/%",
                        "/%2",
                        "/%zz",
                        "/%2%65",
                        "/a b",
                        "/\u0001",
                        "/\u007f",
                        "/\u00e4",
                        "/a?\u00e4",
                        "/a?b c",
                        "/a/..;/b",
                        "/a/.;/b",
                        "/a/..;",
                        "/a/..;c=d/b",
                        "/a/%2e%2e;/b",
                        "/a/..%3b/b",
                        "/a/.%3B")
                .map(text ->
                        dynamicTest(
                                "'" + text + "'",
                                () ->
                                        assertThat(RequestTarget.parse(text, EscapedSlashes.KEEP))
                                                .isNull()));
    }

    @Test
    void escapedSlashesCanBeRefused() {
        assertThat(RequestTarget.parse("/a%2fb", EscapedSlashes.REJECT)).isNull();
        assertThat(RequestTarget.parse("/a%5Cb", EscapedSlashes.REJECT)).isNull();
        assertThat(RequestTarget.parse("/a?b=%2f", EscapedSlashes.REJECT)).isNotNull();
    }

    @Test
    void queryIsForwardedToTheLetter() {
        assertThat(keep("/a/../b?%41=../%2e&\\").forwarded()).isEqualTo("/b?%41=../%2e&\\");
    }

    @Test
    void whatIsNormalAlreadyIsForwardedAsTheSameObject() {
        RequestTarget target = keep("/.a/b?c");
        assertThat(target.forwarded()).isSameAs(target.original());
    }

    /** Seeded: the same paths each time. */
    @Test
    void normalPathsHaveNoDotSegmentsAndStayAsTheyAre() {
        SplittableRandom random = new SplittableRandom(20261123);
        int parsed = 0;
        for (int round = 0; round < 200_000; round++) {
            StringBuilder text = new StringBuilder("/");
            for (int i = random.nextInt(9); i > 0; i--) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
            }
            RequestTarget target = RequestTarget.parse(text.toString(), EscapedSlashes.KEEP);
            if (target == null) {
                continue;
            }
            parsed++;
            assertThat(target.path()).startsWith("/").isEqualTo(keep(target.path()).path());
            assertThat(target.path().split("/", -1)).doesNotContain(".", "..");
            assertThat(keep(target.forwarded()).forwarded()).isEqualTo(target.forwarded());
            assertThat(target.forwarded()).startsWith(target.path());
            assertThat(target.original()).isEqualTo(text.toString());
        }
        assertThat(parsed).isGreaterThan(20_000);
    }

    /** Rules and requests have one form: whatever both take, they take for the same path. */
    @Test
    void aRuleWrittenAsARequestsPathMatchesTheRequest() {
        SplittableRandom random = new SplittableRandom(20261124);
        int compared = 0;
        for (int round = 0; round < 200_000; round++) {
            StringBuilder built = new StringBuilder("/");
            for (int i = random.nextInt(7); i > 0; i--) {
                built.append(PIECES[random.nextInt(PIECES.length)]);
            }
            String text = built.toString();
            RequestTarget target = RequestTarget.parse(text, EscapedSlashes.KEEP);
            if (target == null || text.indexOf('?') >= 0) {
                continue;
            }
            assertThat(new PathMatch.Exact(target.path()).path()).isEqualTo(target.path());
            PathMatch rule;
            try {
                rule = new PathMatch.Exact(text);
            } catch (IllegalArgumentException dotSegments) {
                assertThat(dotSegments).hasMessageEndingWith("(expected: no dot segments)");
                continue;
            }
            assertThat(rule.matches(target.path())).as(text).isTrue();
            compared++;
        }
        assertThat(compared).isGreaterThan(20_000);
    }

    private static RequestTarget keep(String text) {
        return Objects.requireNonNull(RequestTarget.parse(text, EscapedSlashes.KEEP), text);
    }
}
