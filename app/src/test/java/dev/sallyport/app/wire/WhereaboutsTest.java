package dev.sallyport.app.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.ConfigLoader;
import dev.sallyport.model.upstream.OwnAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class WhereaboutsTest {
    private static final Set<InetAddress> LOCAL =
            Set.of(address("127.0.0.1"), address("::1"), address("192.168.0.7"));

    @Test
    void aPodHasItsAddressesForItself() {
        OwnAddresses own = Whereabouts.of(Set.of(address("10.0.0.5")), List.of(), LOCAL);

        assertThat(own.hosts()).containsExactly(address("10.0.0.5"));
        assertThat(own.listening()).isEmpty();
    }

    @Test
    void aListenerOnAllAddressesIsFoundOnEach() {
        assertThat(listening("0.0.0.0:8443"))
                .containsExactlyInAnyOrder(socket("127.0.0.1", 8443), socket("192.168.0.7", 8443));
        assertThat(listening("[::]:8443"))
                .containsExactlyInAnyOrder(
                        socket("127.0.0.1", 8443),
                        socket("::1", 8443),
                        socket("192.168.0.7", 8443));
    }

    @Test
    void aListenerOnOneAddressIsFoundThereOnly() {
        assertThat(listening("192.168.0.7:80", "127.0.0.1:9090"))
                .containsExactlyInAnyOrder(socket("192.168.0.7", 80), socket("127.0.0.1", 9090));
    }

    @Test
    void aPortOfTheSystemsChoiceIsNotKnown() {
        assertThat(listening("0.0.0.0:0")).isEmpty();
    }

    @Test
    void everyPortOfTheConfigurationCounts() throws Exception {
        OwnAddresses own =
                Whereabouts.of(
                        ConfigLoader.load(
                                Optional.empty(), Map.of("POD_IP", "10.0.0.5"), List.of()));

        assertThat(own.hosts()).containsExactly(address("10.0.0.5"));
        assertThat(own.listening())
                .contains(
                        socket("127.0.0.1", 8080),
                        socket("127.0.0.1", 8443),
                        socket("127.0.0.1", 9090));
    }

    private static Set<InetSocketAddress> listening(String... addresses) {
        return Whereabouts.of(
                        Set.of(),
                        List.of(addresses).stream().map(BindAddress::parse).toList(),
                        LOCAL)
                .listening();
    }

    private static InetSocketAddress socket(String address, int port) {
        return new InetSocketAddress(address(address), port);
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }
}
