package dev.sallyport.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeyMaterialTest {

    @Test
    void aKeyInAnyFormIsFound(@TempDir Path folder) {
        Pki pki = Pki.in(folder);
        Leaf leaf = pki.ecdsa("a.test");
        List<String> der = leaf.key().lines().filter(line -> !line.startsWith("-")).toList();
        String whole = String.join("", der);

        assertThat(pki.material().find("pem", leaf.key())).isNotEmpty();
        assertThat(pki.material().find("its first line", "key=" + der.getFirst() + "!"))
                .isNotEmpty();
        assertThat(pki.material().find("its end", whole.substring(whole.length() - 40)))
                .isNotEmpty();
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
