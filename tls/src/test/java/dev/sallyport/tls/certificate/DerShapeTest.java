package dev.sallyport.tls.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class DerShapeTest {
    private static boolean sound(String hex) {
        return DerShape.isSound(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @Test
    void aSequenceOfValuesIsSound() {
        assertThat(sound("3008 020101 3003 020102")).isTrue();
    }

    @Test
    void anEmptySequenceIsSound() {
        assertThat(sound("3000")).isTrue();
    }

    @Test
    void anythingButASequenceIsNot() {
        assertThat(sound("020101")).isFalse();
        assertThat(sound("")).isFalse();
        assertThat(sound("30")).isFalse();
    }

    @Test
    void indefiniteLengthsAreNotSound() {
        assertThat(sound("3080 020101 0000")).isFalse();
    }

    @Test
    void bytesBehindTheSequenceAreNotSound() {
        assertThat(sound("3003 020101 00")).isFalse();
    }

    @Test
    void valuesLongerThanTheirParentAreNotSound() {
        assertThat(sound("3003 020401")).isFalse();
        assertThat(sound("3006 3004 020301 00")).isFalse();
        assertThat(sound("3002 0281")).isFalse();
        assertThat(sound("3001 02")).isFalse();
    }

    @Test
    void lengthsOfFourBytesAreNotSound() {
        assertThat(sound("3084 00000003 020101")).isFalse();
    }

    @Test
    void highTagNumbersAreNotSound() {
        assertThat(sound("3003 1f8101")).isFalse();
    }

    @Test
    void nestingIsBounded() {
        assertThat(sound(nested(23))).isTrue();
        assertThat(sound(nested(24))).isFalse();
    }

    private static String nested(int depth) {
        String inner = "0500";
        for (int i = 0; i < depth; i++) {
            inner = "30" + HexFormat.of().toHexDigits((byte) (inner.length() / 2)) + inner;
        }
        return inner;
    }
}
