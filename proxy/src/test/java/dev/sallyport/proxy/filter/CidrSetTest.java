package dev.sallyport.proxy.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class CidrSetTest {

    @Test
    void blocksHaveTheAddressesWithTheSameLeadingBits() {
        CidrSet set = CidrSet.parse(List.of("10.1.0.0/17", "2001:db8:8000::/33", "192.0.2.7"));
        assertThat(set.contains(ip("10.1.127.255"))).isTrue();
        assertThat(set.contains(ip("10.1.128.0"))).isFalse();
        assertThat(set.contains(ip("2001:db8:ffff::1"))).isTrue();
        assertThat(set.contains(ip("2001:db8:7fff::1"))).isFalse();
        assertThat(set.contains(ip("192.0.2.7"))).isTrue();
        assertThat(set.contains(ip("192.0.2.6"))).isFalse();
    }

    @Test
    void everythingIsInABlockOfNoBitsOfItsFamilyOnly() {
        CidrSet set = CidrSet.parse(List.of("0.0.0.0/0"));
        assertThat(set.contains(ip("255.255.255.255"))).isTrue();
        assertThat(set.contains(ip("::1"))).isFalse();
        assertThat(CidrSet.parse(List.of("::/0")).contains(ip("10.0.0.1"))).isFalse();
    }

    @Test
    void mappedBlocksAreIpv4() {
        assertThat(CidrSet.parse(List.of("::ffff:10.0.0.0/104")).contains(ip("10.200.0.1")))
                .isTrue();
        assertThat(CidrSet.parse(List.of("::ffff:10.0.0.0/104")).contains(ip("11.0.0.1")))
                .isFalse();
    }

    @Test
    void nobodyIsInNoBlock() {
        assertThat(CidrSet.parse(List.of()).contains(ip("10.0.0.1"))).isFalse();
        assertThat(CidrSet.parse(List.of("0.0.0.0/0")).contains(null)).isFalse();
    }

    @Test
    void whatIsNoBlockIsRefused() {
        for (String text :
                List.of(
                        "",
                        "10.0.0.0/33",
                        "::/129",
                        "10.0.0/8",
                        "a/8",
                        "10.0.0.0/",
                        "10.0.0.0/-1",
                        "10.0.0.0/8/8",
                        "10.0.0.0/0008")) {
            assertThatThrownBy(() -> CidrSet.parse(List.of(text)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(text + " (expected: ");
        }
    }

    private static InetAddress ip(String text) {
        return NetUtil.createInetAddressFromIpAddressString(text);
    }
}
