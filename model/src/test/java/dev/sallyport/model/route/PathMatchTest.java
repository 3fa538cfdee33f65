package dev.sallyport.model.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PathMatchTest {

    /** The table of the Kubernetes documentation, "Ingress: path types, examples". */
    private record Row(String kind, String path, String request, boolean matches) {}

    @Test
    void matchesAsTheKubernetesDocumentationSays() {
        List<Row> rows =
                List.of(
                        new Row("Prefix", "/", "/anything/at/all", true),
                        new Row("Exact", "/foo", "/foo", true),
                        new Row("Exact", "/foo", "/bar", false),
                        new Row("Exact", "/foo", "/foo/", false),
                        new Row("Exact", "/foo/", "/foo", false),
                        new Row("Prefix", "/foo", "/foo", true),
                        new Row("Prefix", "/foo", "/foo/", true),
                        new Row("Prefix", "/foo/", "/foo", true),
                        new Row("Prefix", "/foo/", "/foo/", true),
                        new Row("Prefix", "/aaa/bb", "/aaa/bbb", false),
                        new Row("Prefix", "/aaa/bbb", "/aaa/bbb", true),
                        new Row("Prefix", "/aaa/bbb/", "/aaa/bbb", true),
                        new Row("Prefix", "/aaa/bbb", "/aaa/bbb/", true),
                        new Row("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true),
                        new Row("Prefix", "/aaa/bbb", "/aaa/bbbxyz", false),
                        new Row("Prefix", "/aaa", "/aaa/ccc", true),
                        new Row("Prefix", "/aaa", "/ccc", false));
        for (Row row : rows) {
            PathMatch match =
                    row.kind.equals("Exact")
                            ? new PathMatch.Exact(row.path)
                            : new PathMatch.Prefix(row.path);
            assertThat(match.matches(row.request)).as("%s", row).isEqualTo(row.matches);
        }
    }

    @Test
    void theLongestComesFirstAndExactBeforePrefix() {
        assertThat(
                        Stream.<PathMatch>of(
                                        new PathMatch.Prefix("/"),
                                        new PathMatch.Prefix("/foo"),
                                        new PathMatch.Exact("/foo"),
                                        new PathMatch.Prefix("/foo/bar"))
                                .sorted(PathMatch.PRECEDENCE))
                .containsExactly(
                        new PathMatch.Prefix("/foo/bar"),
                        new PathMatch.Exact("/foo"),
                        new PathMatch.Prefix("/foo"),
                        new PathMatch.Prefix("/"));
    }

    @Test
    void aRelativePathIsRefused() {
        assertThatThrownBy(() -> new PathMatch.Prefix("foo"))
                .hasMessageContaining("path: foo (expected: ");
        assertThatThrownBy(() -> new PathMatch.Exact(""))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void pathsAreComparedAsRequestsAreNormalised() {
        assertThat(new PathMatch.Exact("/café").path()).isEqualTo("/caf%C3%A9");
        assertThat(new PathMatch.Prefix("/caf%c3%a9/").path()).isEqualTo("/caf%C3%A9");
        assertThat(new PathMatch.Exact("/%7euser/a b").path()).isEqualTo("/~user/a%20b");
        assertThat(new PathMatch.Exact("/a%2fb").path()).isEqualTo("/a%2Fb");
        assertThat(new PathMatch.Exact("/a?b").path()).isEqualTo("/a%3Fb");
        assertThat(new PathMatch.Exact("/a;v=1/b:c@d").path()).isEqualTo("/a;v=1/b:c@d");
        assertThat(new PathMatch.Exact("/a|b").path()).isEqualTo(NormalPath.of("/a|b"));
        assertThat(new PathMatch.Exact("/a\\b").path()).isEqualTo(NormalPath.of("/a%5cb"));
    }

    @Test
    void aPathThatNoRequestCanHaveIsRefused() {
        for (String bad :
                List.of(
                        "/a/../b",
                        "/..",
                        "/./a",
                        "/a/..;/b",
                        "/%2e%2e/a",
                        "/a%",
                        "/a%0",
                        "/a%zz",
                        "/a%00")) {
            assertThatThrownBy(() -> new PathMatch.Prefix(bad))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("path: ");
        }
    }
}
