package dev.sallyport.tls.certificate;

import static dev.sallyport.tls.certificate.TestCertificates.bytes;
import static dev.sallyport.tls.certificate.TestCertificates.keyPair;
import static dev.sallyport.tls.certificate.TestCertificates.pem;
import static dev.sallyport.tls.certificate.TestCertificates.valid;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import dev.sallyport.tls.context.NativeProof;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Seeded: a failure names its round and is found again by the same seed. */
class CertificateParserFuzzTest {
    private static final KeyProof NATIVE = new NativeProof();
    private static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "shop-tls");
    private static final int ROUNDS = 2_000;

    private static final List<Made> SEEDS =
            List.of(
                    valid().make(),
                    valid().keys(keyPair("RSA-2048")).make(),
                    valid().keys(keyPair("Ed25519")).names("a.test", "*.b.test").make());

    @Test
    void mutatedTextIsUsableOrRejected() {
        Random random = new Random(20261123);
        for (int round = 0; round < ROUNDS; round++) {
            Made made = SEEDS.get(random.nextInt(SEEDS.size()));
            byte[] crt = bytes(made.crt());
            byte[] key = bytes(made.key());
            assertTotal(
                    round, mutate(crt, random), random.nextBoolean() ? key : mutate(key, random));
        }
    }

    @Test
    void mutatedDerIsUsableOrRejected() {
        Random random = new Random(42);
        List<String> labels = List.of("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY");
        for (int round = 0; round < ROUNDS; round++) {
            Made made = SEEDS.get(random.nextInt(SEEDS.size()));
            byte[] key = made.keys().getPrivate().getEncoded();
            String label = labels.get(random.nextInt(labels.size()));
            boolean keyOnly = random.nextBoolean();
            assertTotal(
                    round,
                    bytes(pem("CERTIFICATE", keyOnly ? made.der() : mutate(made.der(), random))),
                    bytes(pem(label, mutate(key, random))));
        }
    }

    private static void assertTotal(int round, byte[] crt, byte[] key) {
        try {
            Parsed<CertificateBundle> natively = CertificateParser.parse(SECRET, crt, key, NATIVE);
            assertThat(natively)
                    .as("round %d", round)
                    .hasToString(CertificateParser.parse(SECRET, crt, key).toString());
            switch (natively) {
                case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) ->
                        assertThat(bundle.chain()).isNotEmpty();
                case Parsed.Rejected<CertificateBundle>(var findings) ->
                        assertThat(findings).hasSize(1);
            }
        } catch (RuntimeException | StackOverflowError broken) {
            throw new AssertionError("round " + round, broken);
        }
    }

    private static byte[] mutate(byte[] from, Random random) {
        byte[] bytes = from.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes[at] = new byte[] {0, -1, 0x30, (byte) 0x80, '-'}[random.nextInt(5)];
                case 3 -> bytes = Arrays.copyOf(bytes, 1 + at);
                default -> { // a piece twice
                    int length = random.nextInt(Math.min(64, bytes.length - at));
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
                    System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
                    bytes = longer;
                }
            }
        }
        return bytes;
    }
}
