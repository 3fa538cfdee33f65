package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateReader;
import dev.sallyport.secretsync.CertificateStatus;
import dev.sallyport.secretsync.SecretMaterial;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IssuedSecretsTest {

    @Test
    void whatIsWrittenIsReadAsWhatWasIssued() {
        StoredCertificate issued = AcmeFixture.issued("shop.example", "0a");
        ResourceChange change = IssuedSecrets.put("acme", issued);

        assertThat(change.ref()).isEqualTo(AcmeRules.secret("acme", issued.id()));
        SecretMaterial material = ((Resource.OfSecret) change.now().orElseThrow()).material();
        assertThat(material.toString()).doesNotContain("BEGIN");
        var catalog =
                new CertificateCatalog(
                        CertificateReader.provenBy(KeyProof.BY_SIGNATURE),
                        Runnable::run,
                        InstantSource.fixed(AcmeFixture.NOW));
        catalog.put(material);
        CertificateStatus status = catalog.status(change.ref());
        assertThat(status.findings()).isEmpty();
        CertificateBundle read = status.inService().orElseThrow().bundle();
        assertThat(read.serial()).isEqualTo("0a");
        assertThat(read.chain().getFirst()).isEqualTo(issued.bundle().chain().getFirst());
    }

    @Test
    void whatIsRemovedIsWhatWasPut() {
        StoredCertificate issued = AcmeFixture.issued("shop.example", "0a");
        assertThat(IssuedSecrets.remove("acme", issued.id()).ref())
                .isEqualTo(IssuedSecrets.put("acme", issued).ref());
        assertThat(IssuedSecrets.remove("acme", issued.id()).now()).isEmpty();
    }

    /**
     * Kubernetes takes lower-case letters, digits, dashes and dots, each part between dots whole.
     */
    @Test
    void everyHostHasASecretOfItsOwnWhoseNameKubernetesTakes() {
        String label = "a".repeat(60);
        String longest = String.join(".", label, label, label, label, "example");
        List<String> hosts =
                List.of(
                        "shop.example",
                        "*.shop.example",
                        "any.shop.example",
                        "_dmarc.shop.example",
                        "-dmarc.shop.example",
                        "xn--bcher-kva.example",
                        longest,
                        "a".repeat(58) + longest.substring(60), // cut off at a dot
                        "b" + longest.substring(1),
                        longest.substring(0, longest.length() - 1) + "f");
        Set<String> names = new HashSet<>();
        for (String host : hosts) {
            Hostname.tryParse(host)
                    .ifPresent(name -> {
                        String secret = AcmeRules.secret("acme", CertificateId.of(name)).name();
                        assertThat(secret)
                                .hasSizeLessThanOrEqualTo(253)
                                .matches(
                                        "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
                        assertThat(names.add(secret)).as(host).isTrue();
                    });
        }
        assertThat(names).hasSizeGreaterThan(5);
    }
}
