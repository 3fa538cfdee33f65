package dev.sallyport.model.name;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HostTableTest {
    private final HostTable<String> table =
            HostTable.copyOf(
                    Map.of(
                            Hostname.parse("a.example.com"), "exact",
                            Hostname.parse("*.example.com"), "wildcard"));

    @Test
    void theExactNameComesBeforeTheWildcard() {
        assertThat(table.find("a.example.com")).isEqualTo("exact");
        assertThat(table.find("b.example.com")).isEqualTo("wildcard");
    }

    @Test
    void aWildcardIsOneLabelDeep() {
        assertThat(table.find("b.c.example.com")).isNull();
        assertThat(table.find("example.com")).isNull();
        assertThat(table.find("")).isNull();
    }

    @Test
    void bothCanBeAskedForAlone() {
        assertThat(table.findExact("b.example.com")).isNull();
        assertThat(table.findWildcard("a.example.com")).isEqualTo("wildcard");
        assertThat(table.get(Hostname.parse("*.example.com"))).isEqualTo("wildcard");
        assertThat(table.get(Hostname.parse("b.example.com"))).isNull();
    }

    @Test
    void namesCanBeSetAndRemoved() {
        Map<Hostname, @Nullable String> changes = new HashMap<>();
        changes.put(Hostname.parse("a.example.com"), null);
        changes.put(Hostname.parse("*.other.example"), "new");

        HostTable<String> changed = table.with(changes);

        assertThat(changed.find("a.example.com")).isEqualTo("wildcard");
        assertThat(changed.find("x.other.example")).isEqualTo("new");
        assertThat(changed.size()).isEqualTo(2);
        assertThat(table.find("a.example.com")).isEqualTo("exact");
        assertThat(table.with(Map.of())).isSameAs(table);
    }

    @Test
    void listsItsNames() {
        Map<Hostname, String> seen = new HashMap<>();
        table.forEach(seen::put);

        assertThat(HostTable.copyOf(seen)).isEqualTo(table).hasSameHashCodeAs(table);
        assertThat(seen)
                .containsOnlyKeys(Hostname.parse("a.example.com"), Hostname.parse("*.example.com"));
    }

    @Test
    void changesAreWhatWasSetReplacedAndRemoved() {
        HostTable<String> before =
                HostTable.copyOf(
                        Map.of(
                                Hostname.parse("a.test"), "1",
                                Hostname.parse("b.test"), "1",
                                Hostname.parse("*.c.test"), "1"));
        Map<Hostname, @org.jspecify.annotations.Nullable String> changes =
                new java.util.HashMap<>();
        changes.put(Hostname.parse("a.test"), "2");
        changes.put(Hostname.parse("b.test"), null);
        changes.put(Hostname.parse("*.d.test"), "1");
        HostTable<String> now = before.with(changes);
        Map<String, String> seen = new java.util.TreeMap<>();
        now.forEachChange(before, (name, value) -> seen.put(name.text(), String.valueOf(value)));
        assertThat(seen).isEqualTo(Map.of("a.test", "2", "b.test", "null", "*.d.test", "1"));
        Map<String, String> other = new java.util.TreeMap<>();
        now.forEachChange(
                HostTable.empty(), (name, value) -> other.put(name.text(), String.valueOf(value)));
        assertThat(other).isEqualTo(Map.of("a.test", "2", "*.c.test", "1", "*.d.test", "1"));
    }
}
