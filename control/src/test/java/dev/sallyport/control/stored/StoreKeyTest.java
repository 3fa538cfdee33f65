package dev.sallyport.control.stored;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreKeyTest {
    private static final byte[] SECRET =
            HexFormat.of()
                    .parseHex("fb000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1dff");

    @TempDir Path dir;

    @Test
    void rawHexadecimalAndBase64AreTheSameKey() throws Exception {
        String id = StoreKey.parse(SECRET).id();
        assertThat(id).matches("[0-9a-f]{16}");
        assertThat(parse(HexFormat.of().formatHex(SECRET)).id()).isEqualTo(id);
        assertThat(parse(HexFormat.of().withUpperCase().formatHex(SECRET) + "\r\n").id())
                .isEqualTo(id);
        assertThat(parse(Base64.getEncoder().encodeToString(SECRET) + "\n").id()).isEqualTo(id);
        assertThat(parse(Base64.getUrlEncoder().withoutPadding().encodeToString(SECRET)).id())
                .isEqualTo(id);
    }

    @Test
    void keysHaveIdsOfTheirOwn() throws Exception {
        byte[] other = SECRET.clone();
        other[31] ^= 1;
        assertThat(StoreKey.parse(other).id()).isNotEqualTo(StoreKey.parse(SECRET).id());
    }

    @Test
    void eachSaltMakesAnotherKey() throws Exception {
        StoreKey key = StoreKey.parse(SECRET);
        assertThat(key.forFile(new byte[32]).getEncoded())
                .hasSize(32)
                .isNotEqualTo(SECRET)
                .isNotEqualTo(key.forFile(new byte[] {1}).getEncoded())
                .isEqualTo(key.forFile(new byte[32]).getEncoded());
    }

    @Test
    void whatIsNoKeyIsRefusedWithoutBeingShown() {
        for (String text :
                new String[] {
                    "",
                    "\n",
                    "secret",
                    "a passphrase that has 32 letters", // 32 bytes, but of text
                    "0123456789abcdef0123456789abcdef", // half a key
                    "g".repeat(64),
                    "*".repeat(44),
                    "A".repeat(45),
                    "0".repeat(2000)
                }) {
            assertThatThrownBy(() -> parse(text))
                    .isInstanceOf(StoreKey.Unusable.class)
                    .hasMessageContaining("openssl rand -base64 32")
                    .message()
                    .satisfies(message ->
                            assertThat(text.isBlank() || !message.contains(text)).isTrue());
        }
    }

    @Test
    void aPlaceholderIsRefused() {
        assertThatThrownBy(() -> parse("00".repeat(32)))
                .isInstanceOf(StoreKey.Unusable.class)
                .hasMessageContaining("again and again");
    }

    @Test
    void aKeyThatOthersMayReadIsRefused() throws Exception {
        Path file = keyFile("rw-r--r--");
        assertThatThrownBy(() -> StoreKey.read(file))
                .isInstanceOf(StoreKey.Unusable.class)
                .hasMessageContaining("rw-r--r--")
                .hasMessageContaining("chmod 400 " + file)
                .hasMessageContaining("defaultMode");
    }

    @Test
    void aKeyOfAMountedSecretIsRead() throws Exception {
        Path file = keyFile("r--r-----");
        // As the kubelet lays it out.
        Path data = Files.createSymbolicLink(dir.resolve("..data"), dir);
        Path link = Files.createSymbolicLink(dir.resolve("link"), data.resolve(file.getFileName()));
        assertThat(StoreKey.read(link).id()).isEqualTo(StoreKey.parse(SECRET).id());
    }

    @Test
    void aMissingFileIsToldWithWhatToDo() {
        assertThatThrownBy(() -> StoreKey.read(dir.resolve("none")))
                .isInstanceOf(StoreKey.Unusable.class)
                .hasMessageContaining("no such file")
                .hasMessageContaining("openssl rand");
    }

    @Test
    void nothingPrintsTheKey() throws Exception {
        StoreKey key = StoreKey.parse(SECRET);
        assertThat(key.toString())
                .isEqualTo("StoreKey[" + key.id() + "]")
                .doesNotContain(HexFormat.of().formatHex(Arrays.copyOf(SECRET, 4)));
    }

    private Path keyFile(String mode) throws IOException {
        Path file = dir.resolve("key");
        Files.write(file, SECRET);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private static StoreKey parse(String text) throws StoreKey.Unusable {
        return StoreKey.parse(text.getBytes(StandardCharsets.US_ASCII));
    }
}
