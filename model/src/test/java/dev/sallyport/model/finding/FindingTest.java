package dev.sallyport.model.finding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FindingTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "tls");

    @Test
    void errorsComeFirst() {
        Finding warning = Finding.of(Reason.CERTIFICATE_EXPIRED, SECRET, "expired", "renew it");
        Finding error = Finding.of(Reason.SECRET_MISSING, SECRET, "missing", "create it");

        assertThat(Stream.of(warning, error).sorted(Finding.ORDER)).containsExactly(error, warning);
    }

    @Test
    void readsAsAPlaceInAFile() {
        Finding finding =
                Finding.of(Reason.SECRET_MISSING, SECRET, "missing", "create it")
                        .at(new Location("a.yaml", 12));

        assertThat(finding.location().orElseThrow()).hasToString("a.yaml:12");
        assertThat(new Location("a.yaml", 0)).hasToString("a.yaml");
        assertThat(SECRET).hasToString("Secret shop/tls");
        assertThat(ObjectRef.gateway("default-certificate"))
                .hasToString("Gateway default-certificate");
    }

    @Test
    void reasonsAreWrittenAsKubernetesWritesThem() {
        assertThat(Reason.SECRET_MISSING.camelCase()).isEqualTo("SecretMissing");
        assertThat(Reason.CERTIFICATE_NOT_YET_VALID.camelCase())
                .isEqualTo("CertificateNotYetValid");
    }

    @Test
    void aRejectionHasAReason() {
        assertThatThrownBy(() -> new Parsed.Rejected<>(List.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(Parsed.usable("x").findings()).isEmpty();
        assertThat(Parsed.rejected(Finding.of(Reason.KEY_MISMATCH, SECRET, "a", "b")).findings())
                .hasSize(1);
    }
}
