package dev.sallyport.model.name;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ShardedMapTest {

    @Test
    void behavesAsAnOrdinaryMapOverARandomHistory() {
        var random = new Random(1);
        Map<Integer, String> expected = new HashMap<>();
        ShardedMap<Integer, String> map = ShardedMap.empty();
        for (int step = 0; step < 2_000; step++) {
            Map<Integer, @Nullable String> changes = new HashMap<>();
            for (int i = random.nextInt(8); i > 0; i--) {
                int key = random.nextInt(3_000);
                String value = random.nextInt(4) == 0 ? null : "v" + step;
                changes.put(key, value);
                if (value == null) {
                    expected.remove(key);
                } else {
                    expected.put(key, value);
                }
            }
            map = map.with(changes);
            assertThat(map.size()).isEqualTo(expected.size());
        }
        assertThat(map.toMap()).isEqualTo(expected);
        assertThat(map)
                .isEqualTo(ShardedMap.copyOf(expected))
                .hasSameHashCodeAs(ShardedMap.copyOf(expected));
        assertThat(map.values()).hasSameSizeAs(expected.values());
    }

    @Test
    void aChangeLeavesTheMapBeforeAsItWas() {
        ShardedMap<String, Integer> before = ShardedMap.copyOf(Map.of("a", 1, "b", 2));

        ShardedMap<String, Integer> after = before.with(Map.of("a", 3));

        assertThat(before.get("a")).isEqualTo(1);
        assertThat(after.get("a")).isEqualTo(3);
        assertThat(after.get("b")).isEqualTo(2);
    }

    @Test
    void noChangeIsTheSameMap() {
        ShardedMap<String, Integer> map = ShardedMap.copyOf(Map.of("a", 1));

        assertThat(map.with(Map.of())).isSameAs(map);
    }

    @Test
    void oneChangeAmongManyCopiesFewEntries() {
        Map<Integer, Integer> many = new HashMap<>();
        for (int i = 0; i < 100_000; i++) {
            many.put(i, i);
        }
        ShardedMap<Integer, Integer> map = ShardedMap.copyOf(many);

        // The whole would be 100,000 copies a change, 2,000 million in all: this would not end in
        // time.
        for (int i = 0; i < 20_000; i++) {
            map = map.with(Map.of(i, -i));
        }

        assertThat(map.get(19_999)).isEqualTo(-19_999);
        assertThat(map.size()).isEqualTo(100_000);
    }
}
