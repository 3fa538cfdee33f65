package dev.sallyport.tls.certificate;

import static dev.sallyport.tls.certificate.TestCertificates.NOW;
import static dev.sallyport.tls.certificate.TestCertificates.bytes;
import static dev.sallyport.tls.certificate.TestCertificates.keyPair;
import static dev.sallyport.tls.certificate.TestCertificates.pem;
import static dev.sallyport.tls.certificate.TestCertificates.valid;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import dev.sallyport.tls.context.NativeProof;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class CertificateParserTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "shop-tls");
    private static final Made GOOD = valid().make();

    private static final KeyProof NATIVE = new NativeProof();

    /** Whoever proves it, the outcome is the same. */
    private static Parsed<CertificateBundle> parse(String crt, String key) {
        Parsed<CertificateBundle> natively =
                CertificateParser.parse(SECRET, bytes(crt), bytes(key), NATIVE);
        Parsed<CertificateBundle> bySignature =
                CertificateParser.parse(SECRET, bytes(crt), bytes(key));
        assertThat(natively).hasToString(bySignature.toString());
        return natively;
    }

    private static CertificateBundle usable(String crt, String key) {
        return usable(parse(crt, key)).value();
    }

    private static Parsed.Usable<CertificateBundle> usable(Parsed<CertificateBundle> parsed) {
        return switch (parsed) {
            case Parsed.Usable<CertificateBundle> usable -> usable;
            case Parsed.Rejected<CertificateBundle>(var findings) ->
                    throw new AssertionError("rejected: " + findings);
        };
    }

    private static Finding rejection(String crt, String key) {
        return rejection(parse(crt, key));
    }

    private static Finding rejection(Parsed<CertificateBundle> parsed) {
        return switch (parsed) {
            case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) ->
                    throw new AssertionError("usable: " + bundle);
            case Parsed.Rejected<CertificateBundle>(var findings) -> {
                assertThat(findings).hasSize(1);
                assertThat(findings.getFirst().object()).isEqualTo(SECRET);
                assertThat(findings.getFirst().message()).isNotBlank();
                assertThat(findings.getFirst().advice()).hasSizeGreaterThan(10);
                yield findings.getFirst();
            }
        };
    }

    private static void assertRejected(Reason reason, String crt, String key) {
        assertThat(rejection(crt, key).reason()).isEqualTo(reason);
    }

    // What is read

    @Test
    void aLeafAndItsKeyAreUsable() {
        CertificateBundle bundle = usable(GOOD.crt(), GOOD.key());
        assertThat(bundle.names()).containsExactly(Hostname.parse("shop.example.com"));
        assertThat(bundle.keyType()).isEqualTo(KeyType.ECDSA);
        assertThat(bundle.chain()).containsExactly(GOOD.der());
    }

    @Test
    void allThreeNistCurvesAreUsable() {
        for (String curve : List.of("secp256r1", "secp384r1", "secp521r1")) {
            Made made = valid().keys(keyPair("EC-" + curve)).make();
            assertThat(usable(made.crt(), made.key()).keyType()).isEqualTo(KeyType.ECDSA);
        }
    }

    @Test
    void rsaOf2048BitsIsUsable() {
        Made made = valid().keys(keyPair("RSA-2048")).make();
        assertThat(usable(made.crt(), made.key()).keyType()).isEqualTo(KeyType.RSA);
    }

    @Test
    void ed25519IsUsable() {
        Made made = valid().keys(keyPair("Ed25519")).make();
        assertThat(usable(made.crt(), made.key()).keyType()).isEqualTo(KeyType.ED25519);
    }

    @Test
    void pkcs1KeysAreRead() throws IOException {
        Made made = valid().keys(keyPair("RSA-2048")).make();
        byte[] pkcs1 = inner(made).getEncoded();
        usable(made.crt(), pem("RSA PRIVATE KEY", pkcs1));
    }

    @Test
    void sec1KeysAreRead() throws IOException {
        usable(GOOD.crt(), pem("EC PRIVATE KEY", sec1WithCurve()));
    }

    @Test
    void aBlockOfParametersMayStandBeforeASec1Key() throws IOException {
        String parameters = pem("EC PARAMETERS", SECObjectIdentifiers.secp256r1.getEncoded());
        usable(GOOD.crt(), parameters + pem("EC PRIVATE KEY", sec1WithCurve()));
    }

    @Test
    void theCurveMayStandInTheParametersOnly() throws IOException {
        String parameters = pem("EC PARAMETERS", SECObjectIdentifiers.secp256r1.getEncoded());
        ECPrivateKey withCurve = ECPrivateKey.getInstance(sec1WithCurve());
        var fields = new ASN1EncodableVector();
        fields.add(new org.bouncycastle.asn1.ASN1Integer(1));
        fields.add(
                new DEROctetString(
                        org.bouncycastle.util.BigIntegers.asUnsignedByteArray(
                                32, withCurve.getKey())));
        usable(
                GOOD.crt(),
                parameters + pem("EC PRIVATE KEY", new DERSequence(fields).getEncoded()));
    }

    @Test
    void attributesOfAKeyAreDropped() throws IOException {
        // RFC 5958: a version 2 key with its public key beside it, as some tools write Ed25519.
        KeyPair keys = keyPair("Ed25519");
        PrivateKeyInfo plain = PrivateKeyInfo.getInstance(keys.getPrivate().getEncoded());
        byte[] raw = Arrays.copyOfRange(keys.getPublic().getEncoded(), 12, 44);
        var fields = new ASN1EncodableVector();
        fields.add(new org.bouncycastle.asn1.ASN1Integer(1));
        fields.add(plain.getPrivateKeyAlgorithm());
        fields.add(new DEROctetString(plain.parsePrivateKey().toASN1Primitive().getEncoded()));
        fields.add(new org.bouncycastle.asn1.DERTaggedObject(false, 1, new DERBitString(raw)));
        Made made = valid().keys(keys).make();
        CertificateBundle bundle =
                usable(made.crt(), pem("PRIVATE KEY", new DERSequence(fields).getEncoded()));
        assertThat(bundle.privateKey().length()).isEqualTo(48);
    }

    @Test
    void carriageReturnsAreRead() {
        usable(GOOD.crt().replace("\n", "\r\n"), GOOD.key().replace("\n", "\r\n"));
    }

    @Test
    void classicMacLineEndsAreRead() {
        usable(GOOD.crt().replace('\n', '\r'), GOOD.key().replace('\n', '\r'));
    }

    @Test
    void byteOrderMarksAreRead() {
        String mark =
                new String(
                        new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf},
                        StandardCharsets.ISO_8859_1);
        usable(mark + GOOD.crt(), mark + GOOD.key());
    }

    @Test
    void textAroundTheBlocksIsSkipped() {
        String crt = "subject=CN = shop\nissuer: - - ----- \n" + GOOD.crt() + "end of file\n";
        usable(crt, "Bag Attributes\n  localKeyID: 01\n" + GOOD.key());
    }

    @Test
    void blocksOnOneLineAreRead() {
        usable(GOOD.crt().replace("\n", ""), GOOD.key().replace("\n", " "));
    }

    @Test
    void otherBlocksInTheKeyAreSkipped() {
        usable(GOOD.crt(), GOOD.crt() + GOOD.key());
    }

    @Test
    void aTrailingDotOfANameIsDropped() {
        Made made = valid().names("shop.example.com.").make();
        assertThat(usable(made.crt(), made.key()).names())
                .containsExactly(Hostname.parse("shop.example.com"));
    }

    @Test
    void theCommonNameServesWhereThereAreNoAlternatives() {
        Made made = valid().names().make();
        assertThat(usable(made.crt(), made.key()).names())
                .containsExactly(Hostname.parse("shop.example.com"));
    }

    @Test
    void anAddressAloneIsUsable() {
        Made made = valid().subject("O=Shop").address("192.0.2.1").make();
        assertThat(usable(made.crt(), made.key()).names()).isEmpty();
    }

    @Test
    void aNameWithNulIsNotAName() {
        Made made = valid().names("shop.example.com\0.evil.test", "b.example.com").make();
        assertThat(usable(made.crt(), made.key()).names())
                .containsExactly(Hostname.parse("b.example.com"));
    }

    @Test
    void expiredAndFutureCertificatesAreUsable() {
        // Time is judged elsewhere: a certificate does not become unreadable.
        Made expired = valid().validity(NOW.minusSeconds(9), NOW.minusSeconds(1)).make();
        Made future = valid().validity(NOW.plusSeconds(1), NOW.plusSeconds(9)).make();
        usable(expired.crt(), expired.key());
        usable(future.crt(), future.key());
    }

    @Test
    void aThousandNamesAreUsable() {
        String[] names =
                IntStream.range(0, 1000)
                        .mapToObj(i -> "n" + i + ".example.com")
                        .toArray(String[]::new);
        Made made = valid().names(names).make();
        assertThat(usable(made.crt(), made.key()).names()).hasSize(1000);
    }

    @Test
    void aTurkishLocaleChangesNothing() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("tr"));
            Made made = valid().subject("CN=I").names("INFO.EXAMPLE.COM").make();
            assertThat(usable(made.crt(), made.key()).names())
                    .containsExactly(Hostname.parse("info.example.com"));
            Made weak = valid().keys(keyPair("RSA-2048")).signedWith("SHA1withRSA").make();
            assertRejected(Reason.SIGNATURE_TOO_WEAK, weak.crt(), weak.key());
        } finally {
            Locale.setDefault(before);
        }
    }

    // Chains

    private static final Made ROOT =
            valid().subject("CN=Root").keys(keyPair("EC-secp384r1")).authority().make();
    private static final Made INTERMEDIATE =
            valid().subject("CN=Intermediate")
                    .keys(keyPair("EC-secp521r1"))
                    .authority()
                    .issuedBy(ROOT)
                    .make();
    private static final Made LEAF = valid().subject("CN=leaf").issuedBy(INTERMEDIATE).make();

    @Test
    void theRootIsNotServed() {
        var parsed = usable(parse(LEAF.crt() + INTERMEDIATE.crt() + ROOT.crt(), LEAF.key()));
        assertThat(parsed.value().chain()).containsExactly(LEAF.der(), INTERMEDIATE.der());
        assertThat(parsed.findings()).isEmpty();
    }

    @Test
    void aChainWithoutRootIsServedAsItIs() {
        var parsed = usable(parse(LEAF.crt() + INTERMEDIATE.crt(), LEAF.key()));
        assertThat(parsed.value().chain()).containsExactly(LEAF.der(), INTERMEDIATE.der());
        assertThat(parsed.findings()).isEmpty();
    }

    @Test
    void aSelfSignedLeafIsServed() {
        assertThat(usable(GOOD.crt(), GOOD.key()).selfSigned()).isTrue();
    }

    @Test
    void duplicatesAreServedOnce() {
        var parsed = usable(parse(LEAF.crt() + LEAF.crt() + INTERMEDIATE.crt(), LEAF.key()));
        assertThat(parsed.value().chain()).containsExactly(LEAF.der(), INTERMEDIATE.der());
        assertThat(parsed.findings()).isEmpty();
    }

    @Test
    void aLeafThatIsNotFirstIsFoundByItsKeyAndReported() {
        var parsed = usable(parse(INTERMEDIATE.crt() + LEAF.crt(), LEAF.key()));
        assertThat(parsed.value().chain()).containsExactly(LEAF.der(), INTERMEDIATE.der());
        assertThat(parsed.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CHAIN_BROKEN);
    }

    @Test
    void intermediatesOutOfOrderArePutInOrderAndReported() {
        Made second =
                valid().subject("CN=Second")
                        .keys(keyPair("RSA-2048"))
                        .authority()
                        .issuedBy(INTERMEDIATE)
                        .make();
        Made leaf = valid().issuedBy(second).make();
        var parsed = usable(parse(leaf.crt() + INTERMEDIATE.crt() + second.crt(), leaf.key()));
        assertThat(parsed.value().chain())
                .containsExactly(leaf.der(), second.der(), INTERMEDIATE.der());
        assertThat(parsed.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CHAIN_BROKEN);
    }

    @Test
    void strangersInTheChainAreServedAndReported() {
        Made stranger =
                valid().subject("CN=Stranger")
                        .keys(keyPair("RSA-2048"))
                        .authority()
                        .issuedBy(ROOT)
                        .make();
        var parsed = usable(parse(LEAF.crt() + INTERMEDIATE.crt() + stranger.crt(), LEAF.key()));
        assertThat(parsed.value().chain())
                .containsExactly(LEAF.der(), INTERMEDIATE.der(), stranger.der());
        assertThat(parsed.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CHAIN_BROKEN);
    }

    @Test
    void aNameThatMatchesIsNoIssuerWithoutItsSignature() {
        Made impostor =
                valid().subject("CN=Intermediate")
                        .keys(keyPair("RSA-2048"))
                        .authority()
                        .issuedBy(ROOT)
                        .make();
        var parsed = usable(parse(LEAF.crt() + impostor.crt(), LEAF.key()));
        assertThat(parsed.findings())
                .extracting(Finding::reason)
                .containsExactly(Reason.CHAIN_BROKEN);
    }

    @Test
    void theAuthorityAloneIsNotTheKeysCertificate() {
        assertRejected(Reason.KEY_MISMATCH, ROOT.crt(), LEAF.key());
    }

    @Test
    void moreThanSixteenCertificatesAreTooMany() {
        assertRejected(Reason.SECRET_TOO_LARGE, GOOD.crt().repeat(17), GOOD.key());
    }

    // What is refused

    @Test
    void aKeyOfAnotherCertificateIsAMismatch() {
        Made other = valid().keys(keyPair("EC-secp384r1")).make();
        assertRejected(Reason.KEY_MISMATCH, GOOD.crt(), other.key());
    }

    @Test
    void aKeyOfAnotherKindIsAMismatch() {
        Made other = valid().keys(keyPair("RSA-2048")).make();
        assertRejected(Reason.KEY_MISMATCH, GOOD.crt(), other.key());
    }

    @Test
    void missingPartsAreNamed() {
        assertThat(rejection("", GOOD.key()).message()).startsWith("tls.crt:");
        assertThat(rejection(GOOD.crt(), " \n").message()).startsWith("tls.key:");
        assertRejected(Reason.SECRET_INCOMPLETE, "", "");
    }

    @Test
    void garbageIsNoCertificate() {
        assertRejected(Reason.CERTIFICATE_UNREADABLE, "garbage", GOOD.key());
    }

    @Test
    void garbageInABlockIsNoCertificate() {
        String crt = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        assertRejected(Reason.CERTIFICATE_UNREADABLE, crt, GOOD.key());
    }

    @Test
    void aTruncatedCertificateIsUnreadable() {
        byte[] half = Arrays.copyOf(GOOD.der(), GOOD.der().length / 2);
        assertRejected(Reason.CERTIFICATE_UNREADABLE, pem("CERTIFICATE", half), GOOD.key());
    }

    @Test
    void bytesBehindACertificateMakeItUnreadable() {
        byte[] longer = Arrays.copyOf(GOOD.der(), GOOD.der().length + 1);
        assertRejected(Reason.CERTIFICATE_UNREADABLE, pem("CERTIFICATE", longer), GOOD.key());
    }

    @Test
    void aBlockWithoutEndIsUnreadable() {
        String crt = GOOD.crt().replace("-----END CERTIFICATE-----", "");
        assertRejected(Reason.CERTIFICATE_UNREADABLE, crt, GOOD.key());
        String key = GOOD.key().replace("-----END PRIVATE KEY-----", "");
        assertRejected(Reason.KEY_UNREADABLE, GOOD.crt(), key);
    }

    @Test
    void garbageIsNoKey() {
        assertRejected(Reason.KEY_UNREADABLE, GOOD.crt(), "garbage");
        assertRejected(Reason.KEY_UNREADABLE, GOOD.crt(), pem("PRIVATE KEY", new byte[100]));
        assertRejected(
                Reason.KEY_UNREADABLE, GOOD.crt(), pem("EC PRIVATE KEY", new byte[] {0x30, 0}));
        assertRejected(
                Reason.KEY_UNREADABLE, GOOD.crt(), pem("RSA PRIVATE KEY", new byte[] {0x30, 0}));
    }

    @Test
    void encryptedPkcs8KeysAreNamed() {
        assertRejected(
                Reason.KEY_ENCRYPTED,
                GOOD.crt(),
                pem("ENCRYPTED PRIVATE KEY", new byte[] {0x30, 0}));
    }

    @Test
    void keysEncryptedTheOldWayAreNamed() {
        String key =
                """
                -----BEGIN RSA PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: AES-128-CBC,00

                AAAA
                -----END RSA PRIVATE KEY-----
                """;
        assertRejected(Reason.KEY_ENCRYPTED, GOOD.crt(), key);
    }

    @Test
    void headersOfAPlainKeyAreSkipped() {
        String key =
                GOOD.key()
                        .replace(
                                "-----BEGIN PRIVATE KEY-----\n",
                                "-----BEGIN PRIVATE KEY-----\nComment: mine\n\n");
        usable(GOOD.crt(), key);
    }

    @Test
    void opensshKeysAreUnsupported() {
        assertRejected(
                Reason.KEY_UNSUPPORTED, GOOD.crt(), pem("OPENSSH PRIVATE KEY", new byte[] {1}));
    }

    @Test
    void dsaIsUnsupported() {
        Made made = valid().keys(keyPair("DSA-2048")).make();
        assertRejected(Reason.KEY_UNSUPPORTED, made.crt(), made.key());
    }

    @Test
    void ed448IsUnsupported() {
        Made made = valid().keys(keyPair("Ed448")).signedWith("Ed448").make();
        assertRejected(Reason.KEY_UNSUPPORTED, made.crt(), made.key());
    }

    @Test
    void rsaOf1024BitsIsTooWeak() {
        Made made = valid().keys(keyPair("RSA-1024")).make();
        Finding finding = rejection(made.crt(), made.key());
        assertThat(finding.reason()).isEqualTo(Reason.KEY_TOO_WEAK);
        assertThat(finding.message()).contains("1024 bits");
    }

    @Test
    void rsaOf16384BitsIsUnsupported() throws IOException {
        BigInteger two = BigInteger.TWO;
        BigInteger modulus = BigInteger.ONE.shiftLeft(16_383).add(BigInteger.ONE);
        byte[] key = new RSAPrivateKey(modulus, two, two, two, two, two, two, two).getEncoded();
        assertRejected(Reason.KEY_UNSUPPORTED, GOOD.crt(), pem("RSA PRIVATE KEY", key));
    }

    @Test
    void rsaWithALongExponentIsUnsupported() throws IOException {
        BigInteger two = BigInteger.TWO;
        BigInteger modulus = BigInteger.ONE.shiftLeft(2_047).add(BigInteger.ONE);
        BigInteger exponent = BigInteger.ONE.shiftLeft(33).add(BigInteger.ONE);
        byte[] key =
                new RSAPrivateKey(modulus, exponent, two, two, two, two, two, two).getEncoded();
        assertRejected(Reason.KEY_UNSUPPORTED, GOOD.crt(), pem("RSA PRIVATE KEY", key));
    }

    @Test
    void certificatesWithALongExponentAreUnsupported() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        BigInteger exponent = BigInteger.ONE.shiftLeft(64).add(new BigInteger("13"));
        generator.initialize(new RSAKeyGenParameterSpec(2048, exponent));
        Made dear = valid().subject("CN=Dear").keys(generator.generateKeyPair()).make();
        Finding finding = rejection(GOOD.crt() + dear.crt(), GOOD.key());
        assertThat(finding.reason()).isEqualTo(Reason.KEY_UNSUPPORTED);
        assertThat(finding.message()).contains("certificate 2 of 2", "exponent of 65");
    }

    @Test
    void rsaWhoseNumbersDoNotFitIsUnreadable() throws IOException {
        Made made = valid().keys(keyPair("RSA-2048")).make();
        RSAPrivateCrtKey key = (RSAPrivateCrtKey) made.keys().getPrivate();
        BigInteger long1 = key.getPrimeExponentP().add(key.getPrimeP().shiftLeft(60_000));
        for (RSAPrivateKey wrong :
                List.of(
                        rsa(key, key.getPrimeP().add(BigInteger.TWO), key.getPrimeExponentP()),
                        rsa(key, BigInteger.ZERO, key.getPrimeExponentP()),
                        rsa(key, key.getPrimeP(), long1),
                        rsa(key, key.getPrimeP(), BigInteger.ZERO))) {
            assertRejected(
                    Reason.KEY_UNREADABLE, made.crt(), pem("RSA PRIVATE KEY", wrong.getEncoded()));
        }
    }

    private static RSAPrivateKey rsa(RSAPrivateCrtKey key, BigInteger p, BigInteger exponentP) {
        return new RSAPrivateKey(
                key.getModulus(),
                key.getPublicExponent(),
                key.getPrivateExponent(),
                p,
                key.getPrimeQ(),
                exponentP,
                key.getPrimeExponentQ(),
                key.getCrtCoefficient());
    }

    // What it costs

    @Test
    void signaturesAreCheckedInTheChainOfTheProvenLeafOnly() {
        String crt = sixteenOfOneName(GOOD);
        AtomicInteger checks = new AtomicInteger();
        Parsed<CertificateBundle> parsed =
                CertificateParser.parse(
                        SECRET,
                        bytes(crt),
                        bytes(GOOD.key()),
                        KeyProof.BY_SIGNATURE,
                        (certificate, issuer) -> {
                            checks.incrementAndGet();
                            return !certificate.equals(issuer); // the longest of all paths
                        });
        assertThat(usable(parsed).value().chain()).hasSize(16);
        assertThat(checks).hasValueBetween(16, 16 * 17 / 2);
    }

    @Test
    void noSignatureIsCheckedWhereTheKeyIsNobodys() {
        String crt = sixteenOfOneName(valid().keys(keyPair("EC-secp384r1")).make());
        Parsed<CertificateBundle> parsed =
                CertificateParser.parse(
                        SECRET,
                        bytes(crt),
                        bytes(GOOD.key()),
                        KeyProof.BY_SIGNATURE,
                        (_, _) -> {
                            throw new AssertionError("checked");
                        });
        assertThat(rejection(parsed).reason()).isEqualTo(Reason.KEY_MISMATCH);
    }

    /** That could each have issued each other; this one last. */
    private static String sixteenOfOneName(Made last) {
        StringBuilder crt = new StringBuilder();
        for (int i = 1; i < 16; i++) {
            KeyPair keys = TestCertificates.keyPair("EC-secp256r1-" + i);
            crt.append(valid().keys(keys).make().crt());
        }
        return crt + last.crt();
    }

    @Test
    @Timeout(60) // takes a moment; where each BEGIN is searched to the end, an hour
    void textOfNothingButBeginningsIsReadInOnePass() {
        String begin = "-----BEGIN CERTIFICATE-----\n";
        assertThat(Pem.blocks(bytes(begin.repeat(500_000))))
                .hasSize(500_000)
                .allMatch(block -> block.body().isEmpty());
    }

    @Test
    void unknownCurvesAreTooWeak() throws IOException {
        var key = new ECPrivateKey(256, BigInteger.TEN, SECObjectIdentifiers.secp256k1);
        assertRejected(Reason.KEY_TOO_WEAK, GOOD.crt(), pem("EC PRIVATE KEY", key.getEncoded()));
    }

    @Test
    void sha1SignaturesAreTooWeak() {
        Made made = valid().keys(keyPair("RSA-2048")).signedWith("SHA1withRSA").make();
        assertRejected(Reason.SIGNATURE_TOO_WEAK, made.crt(), made.key());
    }

    @Test
    void md5SignaturesAreTooWeak() {
        Made made = valid().keys(keyPair("RSA-2048")).signedWith("MD5withRSA").make();
        assertRejected(Reason.SIGNATURE_TOO_WEAK, made.crt(), made.key());
    }

    @Test
    void aCertificateThatNamesNobodyIsRefused() {
        Made made = valid().subject("O=Shop").names().make();
        assertRejected(Reason.CERTIFICATE_WITHOUT_NAMES, made.crt(), made.key());
    }

    @Test
    void aCertificateWhoseOnlyNameHoldsNulIsRefused() {
        Made made = valid().subject("O=Shop").names("shop.example.com\0.evil.test").make();
        assertRejected(Reason.CERTIFICATE_WITHOUT_NAMES, made.crt(), made.key());
    }

    @Test
    void twoMebibytesAreTooLarge() {
        assertRejected(Reason.SECRET_TOO_LARGE, "x".repeat(2 << 20), GOOD.key());
        assertRejected(Reason.SECRET_TOO_LARGE, GOOD.crt(), GOOD.key() + "x".repeat(2 << 20));
    }

    @Test
    void tenThousandNamesAreTooLarge() {
        String[] names =
                IntStream.range(0, 10_000)
                        .mapToObj(i -> "n" + i + ".example.com")
                        .toArray(String[]::new);
        Made made = valid().names(names).make();
        assertRejected(Reason.SECRET_TOO_LARGE, made.crt(), made.key());
    }

    @Test
    void deepNestingIsRefusedBeforeAParserSeesIt() {
        byte[] deep = new byte[8000];
        for (int i = 0; i < 4000; i += 1) {
            int rest = deep.length - 4 * i - 4;
            if (rest < 4) {
                break;
            }
            deep[4 * i] = 0x30;
            deep[4 * i + 1] = (byte) 0x82;
            deep[4 * i + 2] = (byte) (rest >> 8);
            deep[4 * i + 3] = (byte) rest;
        }
        assertRejected(Reason.CERTIFICATE_UNREADABLE, pem("CERTIFICATE", deep), GOOD.key());
        assertRejected(Reason.KEY_UNREADABLE, GOOD.crt(), pem("PRIVATE KEY", deep));
    }

    // What people are told

    @Test
    void swappedPartsAreTold() {
        assertThat(rejection(GOOD.key(), GOOD.crt()).advice()).contains("Swap tls.crt and tls.key");
    }

    @Test
    void aCertificateInPlaceOfTheKeyIsTold() {
        assertThat(rejection(GOOD.crt(), GOOD.crt()).advice()).contains("CERTIFICATE");
    }

    @Test
    void base64WithinBase64IsTold() {
        String twice = Base64.getEncoder().encodeToString(bytes(GOOD.crt()));
        assertThat(rejection(twice, GOOD.key()).advice()).contains("only once");
    }

    @Test
    void derInPlaceOfPemIsTold() {
        var parsed = CertificateParser.parse(SECRET, GOOD.der(), bytes(GOOD.key()));
        assertThat(rejection(parsed).advice()).contains("DER");
    }

    @Test
    void utf16IsTold() {
        byte[] crt = GOOD.crt().getBytes(StandardCharsets.UTF_16);
        var parsed = CertificateParser.parse(SECRET, crt, bytes(GOOD.key()));
        assertThat(rejection(parsed).advice()).contains("UTF-16");
    }

    @Test
    void subjectsCannotSteerATerminalAndAreCutShort() {
        String units = (",OU=" + "x".repeat(60)).repeat(5);
        Made made = valid().subject("CN=\u001b[31mred\ngreen" + units).names().make();
        Made other = valid().keys(keyPair("EC-secp384r1")).make();
        String message = rejection(made.crt(), other.key()).message();
        assertThat(message).doesNotContain("\u001b", "\n").contains("xxx…").hasSizeLessThan(200);
        Made brief = valid().subject("CN=\u001b[31mred\ngreen").names().make();
        assertThat(rejection(brief.crt(), other.key()).message()).contains("red?green");
    }

    @Test
    void noMessageHoldsAPieceOfAKey() {
        String key = GOOD.key();
        List<String> broken = new ArrayList<>();
        broken.add(key.replace("PRIVATE", "EC PRIVATE"));
        broken.add(key.replace("PRIVATE", "RSA PRIVATE"));
        broken.add(key.replace("\n-----END", "-\n-----END"));
        broken.add(key.replace("-----BEGIN PRIVATE KEY-----", ""));
        broken.add(key.substring(0, key.length() / 2));
        List<String> lines = key.lines().filter(line -> !line.startsWith("-")).toList();
        for (String text : broken) {
            String told = parse(GOOD.crt(), text).toString();
            for (String line : lines) {
                assertThat(told).doesNotContain(line.substring(0, Math.min(12, line.length())));
            }
        }
    }

    private static org.bouncycastle.asn1.ASN1Primitive inner(Made made) throws IOException {
        return PrivateKeyInfo.getInstance(made.keys().getPrivate().getEncoded())
                .parsePrivateKey()
                .toASN1Primitive();
    }

    private static byte[] sec1WithCurve() {
        BigInteger secret =
                ((java.security.interfaces.ECPrivateKey) GOOD.keys().getPrivate()).getS();
        try {
            return new ECPrivateKey(256, secret, SECObjectIdentifiers.secp256r1).getEncoded();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
