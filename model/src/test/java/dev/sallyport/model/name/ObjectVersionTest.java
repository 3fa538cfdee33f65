package dev.sallyport.model.name;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ObjectVersionTest {

    private static ObjectVersion version(String number) {
        return new ObjectVersion("uid", number);
    }

    @Test
    void versionsAreComparedAsNumbers() {
        assertThat(version("9").isBefore(version("10"))).isTrue();
        assertThat(version("10").isBefore(version("9"))).isFalse();
        assertThat(version("10").isBefore(version("10"))).isFalse();
        assertThat(version("9223372036854775807").isBefore(version("9223372036854775808")))
                .isTrue();
        assertThat(new ObjectVersion("before", "1").isBefore(version("2"))).isTrue();
    }

    @Test
    void ofWhatIsNoNumberNothingIsKnown() {
        assertThat(version("a").isBefore(version("b"))).isFalse();
        assertThat(ObjectVersion.NONE.isBefore(version("1"))).isFalse();
        assertThat(version("1").isBefore(ObjectVersion.NONE)).isFalse();
    }
}
