package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeyMaterialTest {

    @Test
    void aKeyInAnyFormIsFound(@TempDir Path folder) {
        Pki pki = Pki.in(folder);
        Leaf leaf = pki.ecdsa("a.test");
        String der = leaf.key().lines().filter(line -> !line.startsWith("-")).toList().get(1);

        assertThat(pki.material().find("pem", leaf.key())).isNotEmpty();
        assertThat(pki.material().find("a line of it", "key=" + der + "!")).isNotEmpty();
        assertThat(pki.material().find("secret", "data: " + Manifests.base64(leaf.key())))
                .isNotEmpty();
    }

    @Test
    void certificatesAreNoKeys(@TempDir Path folder) throws CertificateEncodingException {
        Pki pki = Pki.in(folder);
        Leaf leaf = pki.ecdsa("a.test");
        String der = Base64.getEncoder().encodeToString(leaf.certificate().getEncoded());

        assertThat(pki.material().find("der", der)).isEmpty();
        assertThat(pki.material().find("pem", leaf.chain())).isEmpty();
    }
}
