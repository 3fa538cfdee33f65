package dev.sallyport.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportingTest {
    @Test
    void anIdentityTellsThePod() {
        String identity = Reporting.identity("sallyport-7d9-x2x", new UUID(1, 2));

        assertThat(Reporting.podOf(identity)).contains("sallyport-7d9-x2x");
    }

    /** It is shown in a command: what somebody else wrote into the Lease must not become one. */
    @ParameterizedTest
    @ValueSource(
            strings = {"", "_", "sallyport", "_a", "a;rm_1", "a b_1", "-a_1", "a\n_1", "a_b_1"})
    void whatIsNoIdentityNamesNoPod(String holder) {
        assertThat(Reporting.podOf(holder)).isEmpty();
    }
}
