package dev.sallyport.model.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AddressGuardTest {
    private static final AddressGuard STRICT = new AddressGuard(false);

    @Test
    void allowsWhatPodsAndServersHave() {
        assertThat(
                        List.of(
                                "10.0.0.7",
                                "192.168.1.1",
                                "100.64.0.1",
                                "203.0.113.9",
                                "fd00::7",
                                "2001:db8::1",
                                "64:ff9b::a00:7"))
                .allMatch(text -> STRICT.allows(address(text), 80));
    }

    @Test
    void refusesTheNodeTheLinkAndMetadataServices() {
        assertThat(
                        List.of(
                                "127.0.0.1",
                                "127.8.8.8",
                                "::1",
                                "0.0.0.0",
                                "0.1.2.3",
                                "::",
                                "169.254.169.254",
                                "169.254.0.1",
                                "169.254.170.2",
                                "fe80::1",
                                "fe80::a9fe:a9fe",
                                "224.0.0.1",
                                "ff02::1",
                                "255.255.255.255",
                                "fd00:ec2::254",
                                "fd00:ec2::23",
                                "fd20:ce::254",
                                "fd00:c1::a9fe:a9fe",
                                "100.100.100.200",
                                "168.63.129.16",
                                "192.0.0.192",
                                "::ffff:169.254.169.254",
                                "::ffff:127.0.0.1",
                                "64:ff9b::a9fe:a9fe",
                                "64:ff9b::7f00:1",
                                "2002:a9fe:a9fe::1",
                                "2002:7f00:1::",
                                "::169.254.169.254"))
                .noneMatch(text -> STRICT.allows(address(text), 80));
    }

    @Test
    void allowsLoopbackOnlyWhereItIsTold() {
        assertThat(List.of("127.0.0.1", "::1", "::ffff:127.0.0.1"))
                .allMatch(text -> new AddressGuard(true).allows(address(text), 80));
        assertThat(new AddressGuard(true).allows(address("169.254.169.254"), 80)).isFalse();
    }

    @Test
    void aPodsOwnAddressesAreRefusedOnEveryPort() {
        var guard =
                new AddressGuard(
                        false,
                        new OwnAddresses(
                                Set.of(address("10.0.0.7"), address("fd00::7")), Set.of()));
        assertThat(guard.refusal(address("10.0.0.7"), 1)).contains("the gateway's own address");
        assertThat(guard.allows(address("fd00::7"), 8443)).isFalse();
        assertThat(guard.allows(address("::ffff:10.0.0.7"), 8443)).isFalse();
        assertThat(guard.allows(address("64:ff9b::a00:7"), 8443)).isFalse();
        assertThat(guard.allows(address("10.0.0.8"), 8443)).isTrue();
    }

    @Test
    void ofASharedAddressOnlyOurPortsAreRefused() {
        var guard =
                new AddressGuard(
                        true,
                        new OwnAddresses(
                                Set.of(),
                                Set.of(
                                        new InetSocketAddress(address("192.168.1.1"), 8443),
                                        new InetSocketAddress(address("127.0.0.1"), 9090))));
        assertThat(guard.allows(address("192.168.1.1"), 8443)).isFalse();
        assertThat(guard.allows(address("192.168.1.1"), 8080)).isTrue();
        assertThat(guard.allows(address("127.0.0.1"), 9090)).isFalse();
        assertThat(guard.allows(address("127.0.0.1"), 9091)).isTrue();
        assertThat(guard.isOwn(address("127.0.0.1"), 9091)).isFalse();
    }

    @Test
    void literalsAreAddressesThatEverybodyReadsAlike() {
        assertThat(AddressGuard.literal("10.0.0.7")).isEqualTo(address("10.0.0.7"));
        assertThat(AddressGuard.literal("fd00::7")).isEqualTo(address("fd00::7"));
        assertThat(List.of("127.1", "10.0.0.300", "0x7f.0.0.1", "fe80::1%eth0", "shop", ""))
                .allMatch(text -> AddressGuard.literal(text) == null);
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }
}
