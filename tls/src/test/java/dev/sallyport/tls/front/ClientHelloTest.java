package dev.sallyport.tls.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.tls.front.ClientHello.Reading;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.LeakPresenceDetector;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    private static Reading read(byte[] body) {
        return ClientHello.read(Unpooled.wrappedBuffer(body));
    }

    private static ClientHello hello(Hellos hello) {
        return switch (read(hello.body())) {
            case Reading.Read(ClientHello read) -> read;
            case Reading.Refused refused -> throw new AssertionError(refused.toString());
        };
    }

    private static Reading.Refused refusal(Hellos hello) {
        return switch (read(hello.body())) {
            case Reading.Read(ClientHello read) -> throw new AssertionError(read.toString());
            case Reading.Refused refused -> refused;
        };
    }

    private static final Reading.Refused MALFORMED =
            new Reading.Refused(HandshakeFailure.HELLO_MALFORMED, Alert.DECODE_ERROR);
    private static final Reading.Refused DOUBLED =
            new Reading.Refused(HandshakeFailure.HELLO_MALFORMED, Alert.ILLEGAL_PARAMETER);
    private static final Reading.Refused NO_NAME =
            new Reading.Refused(HandshakeFailure.NAME_UNKNOWN, Alert.UNRECOGNIZED_NAME);

    @Test
    void aHelloWithoutExtensionsHasNoName() {
        assertThat(read(Hellos.withoutExtensions()))
                .isEqualTo(new Reading.Read(new ClientHello(null, null, null)));
    }

    @Test
    void nameAndProtocolsAreRead() {
        assertThat(hello(Hellos.hello().name("a.test").protocols("h2", "http/1.1")))
                .isEqualTo(new ClientHello("a.test", "a.test", List.of("h2", "http/1.1")));
    }

    @Test
    void greaseAndUnknownExtensionsAreSkipped() {
        assertThat(
                        hello(
                                        Hellos.hello()
                                                .extension(0x0a0a, new byte[0])
                                                .extension(0xfe0d, new byte[200])
                                                .name("a.test")
                                                .extension(0xfafa, new byte[] {0}))
                                .serverName())
                .isEqualTo("a.test");
    }

    @Test
    void caseIsFoldedAndATrailingDotDropped() {
        ClientHello hello = hello(Hellos.hello().name("Shop.EXAMPLE.com."));
        assertThat(hello.serverName()).isEqualTo("shop.example.com");
        assertThat(hello.writtenName()).isEqualTo("Shop.EXAMPLE.com.");
    }

    @Test
    void aTurkishLocaleFoldsTheSame() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("tr"));
            assertThat(hello(Hellos.hello().name("INFO.TEST")).serverName()).isEqualTo("info.test");
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void addressesCountAsNoName() {
        for (String address :
                List.of("192.0.2.1", "192.0.2.1.", "2001:db8::1", "::ffff:192.0.2.1")) {
            assertThat(hello(Hellos.hello().name(address)).serverName()).isNull();
        }
    }

    @Test
    void namesWithDigitsAreNoAddresses() {
        for (String name : List.of("1.example", "a1", "0x7f.test", "1a")) {
            assertThat(hello(Hellos.hello().name(name)).serverName()).isEqualTo(name);
        }
    }

    @Test
    void namesWithAPortAreUnknown() {
        assertThat(refusal(Hellos.hello().name("shop.test:443"))).isEqualTo(NO_NAME);
    }

    @Test
    void namesOf253CharactersAreRead() {
        String name = ("a".repeat(49) + ".").repeat(5) + "abc";
        assertThat(hello(Hellos.hello().name(name)).serverName()).hasSize(253);
        assertThat(hello(Hellos.hello().name(name + ".")).serverName()).hasSize(253);
    }

    @Test
    void namesOver253CharactersAreUnknown() {
        assertThat(refusal(Hellos.hello().name("a".repeat(254)))).isEqualTo(NO_NAME);
        assertThat(refusal(Hellos.hello().name("a".repeat(20_000)))).isEqualTo(NO_NAME);
    }

    @Test
    void namesAsLongAsAHelloAreUnknown() {
        for (String piece : List.of(".", "a", "A", "a.", "1", "1.", ":", "\u00ff")) {
            String name = piece.repeat(60_000 / piece.length());
            assertThat(refusal(Hellos.hello().name(name))).isEqualTo(NO_NAME);
        }
    }

    @Test
    void oneTrailingDotIsDropped() {
        String name = ("a".repeat(49) + ".").repeat(5) + "abc";
        assertThat(refusal(Hellos.hello().name(name + ".."))).isEqualTo(NO_NAME);
    }

    @Test
    void namesWithOtherCharactersAreUnknown() {
        for (String name :
                List.of("a b.test", "a\0b.test", "b\u00fccher.test", "*.test", "a/b", "%61")) {
            assertThat(refusal(Hellos.hello().name(name))).isEqualTo(NO_NAME);
        }
    }

    @Test
    void emptyNamesAreMalformed() {
        assertThat(refusal(Hellos.hello().name(""))).isEqualTo(MALFORMED);
    }

    @Test
    void twoNamesAreMalformed() {
        assertThat(
                        refusal(
                                Hellos.hello()
                                        .extension(
                                                0, new byte[] {0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'})))
                .isEqualTo(MALFORMED);
    }

    @Test
    void otherNameTypesAreMalformed() {
        assertThat(refusal(Hellos.hello().extension(0, new byte[] {0, 4, 1, 0, 1, 'a'})))
                .isEqualTo(MALFORMED);
    }

    @Test
    void bytesBehindTheNamesAreMalformed() {
        assertThat(refusal(Hellos.hello().extension(0, new byte[] {0, 4, 0, 0, 1, 'a', 0})))
                .isEqualTo(MALFORMED);
    }

    @Test
    void anEmptyServerNameExtensionIsMalformed() {
        assertThat(refusal(Hellos.hello().extension(0, new byte[0]))).isEqualTo(MALFORMED);
    }

    @Test
    void extensionsMayNotStandTwice() {
        assertThat(refusal(Hellos.hello().name("a.test").name("b.test"))).isEqualTo(DOUBLED);
        assertThat(refusal(Hellos.hello().protocols("h2").protocols("h2"))).isEqualTo(DOUBLED);
    }

    @Test
    void emptyProtocolListsAndNamesAreMalformed() {
        assertThat(refusal(Hellos.hello().protocols())).isEqualTo(MALFORMED);
        assertThat(refusal(Hellos.hello().protocols("h2", ""))).isEqualTo(MALFORMED);
        assertThat(refusal(Hellos.hello().extension(16, new byte[] {0, 2, 1, 'a', 0})))
                .isEqualTo(MALFORMED);
    }

    @Test
    void everyTruncationIsMalformed() {
        byte[] body = Hellos.hello().name("a.test").protocols("h2").body();
        int withoutExtensions = Hellos.withoutExtensions().length;
        for (int length = 0; length < body.length; length++) {
            if (length != withoutExtensions) { // which is a whole ClientHello
                assertThat(read(java.util.Arrays.copyOf(body, length))).isEqualTo(MALFORMED);
            }
        }
    }

    @Test
    void bytesBehindTheExtensionsAreMalformed() {
        byte[] body = Hellos.hello().name("a.test").body();
        assertThat(read(java.util.Arrays.copyOf(body, body.length + 1))).isEqualTo(MALFORMED);
    }

    @Test
    void mutatedHellosAreReadOrRefused() {
        Random random = new Random(20261123);
        byte[] seed = Hellos.hello().name("shop.example.com").protocols("h2", "http/1.1").body();
        for (int round = 0; round < 20_000; round++) {
            byte[] body = seed.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                body[34 + random.nextInt(body.length - 34)] = (byte) random.nextInt(256);
            }
            ByteBuf buffer = Unpooled.wrappedBuffer(body, 0, body.length - random.nextInt(3));
            switch (ClientHello.read(buffer)) {
                case Reading.Read(ClientHello(_, String name, _)) -> {
                    if (name != null) {
                        assertThat(name).matches("[a-z0-9._-]{1,253}");
                    }
                }
                case Reading.Refused(HandshakeFailure reason, Alert alert) -> {
                    assertThat(reason)
                            .isIn(HandshakeFailure.HELLO_MALFORMED, HandshakeFailure.NAME_UNKNOWN);
                    assertThat(alert).isNotNull();
                }
            }
            assertThat(buffer.readerIndex()).isZero();
        }
    }

    @Test
    void hellosOfAnySizeAreReadOrRefused() {
        Random random = new Random(20261124);
        for (int round = 0; round < 2_000; round++) {
            Hellos hello = Hellos.hello();
            int extensions = random.nextInt(4);
            for (int i = 0; i < extensions; i++) {
                hello.extension(random.nextInt(17), random(random, 1 << random.nextInt(14)));
            }
            hello.name(name(random, 1 << random.nextInt(16)));
            switch (read(hello.body())) {
                case Reading.Read(ClientHello(String written, String name, _)) -> {
                    assertThat(written).isNotNull().hasSizeLessThanOrEqualTo(254);
                    if (name != null) {
                        assertThat(name).matches("[a-z0-9._-]{1,253}");
                    }
                }
                case Reading.Refused(HandshakeFailure reason, _) ->
                        assertThat(reason)
                                .isIn(
                                        HandshakeFailure.HELLO_MALFORMED,
                                        HandshakeFailure.NAME_UNKNOWN);
            }
        }
    }

    private static byte[] random(Random random, int size) {
        byte[] bytes = new byte[random.nextInt(size)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Of few characters, so that whole names of one kind are as likely as mixed ones. */
    private static String name(Random random, int longest) {
        String alphabet = ".aA0-:\u00fc".substring(random.nextInt(3), 4 + random.nextInt(4));
        int kinds = 1 + random.nextInt(alphabet.length());
        StringBuilder name = new StringBuilder();
        for (int i = random.nextInt(Math.min(longest, 60_000)); i >= 0; i--) {
            name.append(alphabet.charAt(random.nextInt(kinds)));
        }
        return name.toString();
    }
}
