package dev.sallyport.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class PodAddressesTest {

    @Test
    void outsideOfAPodThereAreNone() throws Exception {
        assertThat(of(Map.of())).isEmpty();
    }

    @Test
    void bothFamiliesAreRead() throws Exception {
        assertThat(of(Map.of("POD_IP", "10.0.0.5", "POD_IPS", "10.0.0.5,fd00::5")))
                .containsExactlyInAnyOrder(address("10.0.0.5"), address("fd00::5"));
        assertThat(of(Map.of("POD_IP", "10.0.0.5", "HOST_IP", "192.168.0.1")))
                .containsExactly(address("10.0.0.5"));
    }

    @Test
    void aPodInItsNodesNetworkHasNoneOfItsOwn() throws Exception {
        assertThat(of(Map.of("POD_IP", "192.168.0.1", "HOST_IP", "192.168.0.1"))).isEmpty();
        assertThat(of(Map.of("POD_IPS", "192.168.0.1,fd00::1", "HOST_IP", "192.168.0.1")))
                .isEmpty();
    }

    @Test
    void whatIsNoAddressIsAProblem() {
        assertThatThrownBy(() -> of(Map.of("POD_IP", "shop")))
                .isInstanceOfSatisfying(
                        InvalidConfiguration.class,
                        invalid ->
                                assertThat(invalid.problems())
                                        .singleElement()
                                        .hasToString(
                                                "POD_IP: shop (expected: an IP address, as the downward API"
                                                        + " has it)"));
    }

    private static Set<InetAddress> of(Map<String, String> environment)
            throws InvalidConfiguration {
        return ConfigLoader.load(Optional.empty(), environment, List.of()).podAddresses();
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }
}
