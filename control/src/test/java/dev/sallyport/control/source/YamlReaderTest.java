package dev.sallyport.control.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class YamlReaderTest {

    @Test
    void scalarsAreThoseOfTheCoreSchema() throws Exception {
        assertThat(values("[a, '1', 1, +2, -3, 0x1F, 0o17, 1.5, true, False, ~, null, yes, 1e3]"))
                .containsExactly(
                        "a", "1", 1L, 2L, -3L, 31L, 15L, 1.5, true, false, null, null, "yes",
                        1000.0);
    }

    @Test
    void tagsSayWhatAScalarIs() throws Exception {
        assertThat(values("[!!str 1, !!int 2, ! 3]")).containsExactly("1", 2L, "3");
    }

    @Test
    void numbersTooLongForALongAreKept() throws Exception {
        assertThat(values("[99999999999999999999]"))
                .containsExactly(new java.math.BigInteger("99999999999999999999"));
    }

    @Test
    void valuesKnowTheirLine() throws Exception {
        var document = (Tree.Mapping) YamlReader.read("a: 1\nb:\n  c: 2\n").getFirst();
        assertThat(java.util.Objects.requireNonNull(document.get("b")).line()).isEqualTo(3);
    }

    @Test
    void documentsAreSeparate() throws Exception {
        assertThat(YamlReader.read("a: 1\n---\n---\nb: 2\n")).hasSize(3);
    }

    @Test
    void aliasesRepeatAndMergesYield() throws Exception {
        String text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, {c: 4}]}\n";
        assertThat(YamlReader.read(text).getFirst().toString())
                .contains("y=Mapping[line=2, entries={b=Scalar[line=2, value=3], a=Scalar[line=1")
                .contains("c=Scalar[line=3, value=4]");
    }

    @Test
    void repeatedKeysAreAnError() {
        assertMalformed("a: 1\nb: 2\na: 3\n", 3, "key a is there twice");
    }

    @Test
    void aHalfWrittenDocumentIsAnErrorWithItsLine() {
        assertMalformed("a:\n  - b\n  c", 3, "");
    }

    @Test
    void aBillionLaughsAreCutShort() {
        var text = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i < 40; i++) {
            String before = "*a" + (i - 1);
            text.append("a" + i + ": &a" + i + " [" + before + ", " + before + "]\n");
        }
        assertMalformed(text.toString(), 19, "more than 2000000 values");
    }

    @Test
    void deepNestingIsCutShort() {
        assertMalformed("[".repeat(100_000), 1, "nested more than 100 deep");
    }

    @Test
    void nestingThroughAliasesIsCutShort() {
        var text = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i < 200; i++) {
            text.append("a" + i + ": &a" + i + " [*a" + (i - 1) + "]\n");
        }
        assertMalformed(text.toString(), 99, "nested more than 100 deep");
    }

    @Test
    void oddThingsAreErrors() {
        assertMalformed("*nobody", 1, "names nothing before it");
        assertMalformed("&a [*a]", 1, "names nothing before it");
        assertMalformed("{[a]: b}", 1, "a key is a collection");
        assertMalformed("a: &a b\n*a : c", 2, "a key is an alias");
        assertMalformed("a: !ruby/object x", 1, "tag !ruby/object");
        assertMalformed("a: !set {b}", 1, "tag !set");
        assertMalformed("<<: 1", 1, "merges mappings only");
        assertMalformed("<<: [1]", 1, "merges mappings only");
    }

    private static void assertMalformed(String text, int line, String message) {
        assertThatThrownBy(() -> YamlReader.read(text))
                .isInstanceOfSatisfying(
                        Tree.Malformed.class,
                        malformed -> {
                            assertThat(malformed.line()).isEqualTo(line);
                            assertThat(malformed.text()).contains(message);
                        });
    }

    private static List<@Nullable Object> values(String text) throws Tree.Malformed {
        var sequence = (Tree.Sequence) YamlReader.read(text).getFirst();
        List<@Nullable Object> values = new java.util.ArrayList<>();
        sequence.items().forEach(item -> values.add(((Tree.Scalar) item).value()));
        return values;
    }
}
