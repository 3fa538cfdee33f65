package dev.sallyport.app.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ProofTest {
    private static final ObjectRef GOOD = new ObjectRef("Secret", "default", "good");
    private static final ObjectRef BAD = new ObjectRef("Secret", "default", "bad");

    @Test
    void whatTheNativeLibraryRefusesIsFoundOnceForAllItsHosts() throws Exception {
        CertificateSet good = set(GOOD, BigInteger.valueOf(65_537));
        // The JDK works with any public exponent, BoringSSL with those up to 33 bits.
        CertificateSet bad = set(BAD, BigInteger.ONE.shiftLeft(64).add(BigInteger.valueOf(13)));
        var hosts =
                HostTable.copyOf(
                        Map.of(
                                Hostname.parse("good.test"), good,
                                Hostname.parse("a.test"), bad,
                                Hostname.parse("*.a.test"), bad));

        assertThat(refused(new CertificateTable(hosts, Optional.of(good))))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.CERTIFICATE_REFUSED);
                    assertThat(finding.object()).isEqualTo(BAD);
                });
        assertThat(refused(new CertificateTable(HostTable.empty(), Optional.of(bad)))).hasSize(1);
    }

    private static List<Finding> refused(CertificateTable table) {
        try (var proof = new Proof()) {
            return proof.apply(
                            new GatewaySnapshot(
                                    1, List.of(), RoutingTable.EMPTY, table, ShardedMap.empty()))
                    .findings();
        }
    }

    /** Without the parser, which would refuse the bad one already. */
    private static CertificateSet set(ObjectRef source, BigInteger exponent) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(new RSAKeyGenParameterSpec(2048, exponent));
        KeyPair keys = generator.generateKeyPair();
        X509Bundle authority =
                new CertificateBuilder()
                        .subject("CN=test authority")
                        .ecp256()
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        var certificate =
                new CertificateBuilder()
                        .subject("CN=test")
                        .keyPair(keys)
                        .addSanDnsName("a.test")
                        .notBefore(Instant.parse("2020-01-01T00:00:00Z"))
                        .notAfter(Instant.parse("2040-01-01T00:00:00Z"))
                        .buildIssuedBy(authority)
                        .getCertificate();
        var bundle =
                CertificateBundle.of(
                        List.of(certificate.getEncoded()), keys.getPrivate().getEncoded());
        return CertificateSet.of(
                List.of(new ServedCertificate(bundle, source, Instant.EPOCH, false)));
    }
}
