package dev.sallyport.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class AddressGuardTest {

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
                .allMatch(text -> new AddressGuard(false).allows(address(text)));
    }

    @Test
    void refusesTheNodeTheLinkAndMetadataServices() {
        assertThat(
                        List.of(
                                "127.0.0.1",
                                "127.8.8.8",
                                "::1",
                                "0.0.0.0",
                                "::",
                                "169.254.169.254",
                                "169.254.0.1",
                                "fe80::1",
                                "224.0.0.1",
                                "ff02::1",
                                "255.255.255.255",
                                "fd00:ec2::254",
                                "100.100.100.200",
                                "168.63.129.16",
                                "192.0.0.192",
                                "::ffff:169.254.169.254",
                                "::ffff:127.0.0.1",
                                "64:ff9b::a9fe:a9fe",
                                "64:ff9b::7f00:1",
                                "::169.254.169.254"))
                .noneMatch(text -> new AddressGuard(false).allows(address(text)));
    }

    @Test
    void allowsLoopbackOnlyWhereItIsTold() {
        assertThat(List.of("127.0.0.1", "::1", "::ffff:127.0.0.1"))
                .allMatch(text -> new AddressGuard(true).allows(address(text)));
        assertThat(new AddressGuard(true).allows(address("169.254.169.254"))).isFalse();
    }

    private static InetAddress address(String text) {
        return AddressGuard.ofBytes(
                Objects.requireNonNull(NetUtil.createByteArrayFromIpAddressString(text)));
    }
}
