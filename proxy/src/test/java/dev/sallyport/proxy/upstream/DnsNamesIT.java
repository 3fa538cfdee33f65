package dev.sallyport.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.resolver.NameResolver;
import io.netty.resolver.dns.DnsServerAddressStreamProvider;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;
import io.netty.util.LeakPresenceDetector;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Names of ExternalName Services, asked of a real name server. */
class DnsNamesIT {
    private final MultiThreadIoEventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private NameServer server;
    private NameResolver<InetAddress> names;

    @BeforeEach
    void start() throws IOException {
        server = NameServer.start();
        DnsServerAddressStreamProvider only =
                new SingletonDnsServerAddressStreamProvider(server.address());
        names =
                new DnsNames(NioDatagramChannel::new, NioSocketChannel::new, only)
                        .apply((EventLoop) group.next());
    }

    @AfterEach
    void stop() throws IOException {
        names.close();
        server.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @AfterAll
    static void noBufferLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void nameHasTheAddressesThatItsServerSays() throws Exception {
        server.answers("shop.test", 60, "192.0.2.1", "192.0.2.2");
        assertThat(addresses("shop.test")).containsExactlyInAnyOrder("192.0.2.1", "192.0.2.2");
    }

    @Test
    void addressesOfBothKindsAreFound() throws Exception {
        server.answers("shop.test", 60, "192.0.2.1", "2001:db8::1");
        // A host without IPv6 does not ask for what it could not connect to.
        assertThat(addresses("shop.test"))
                .contains("192.0.2.1")
                .isSubsetOf("192.0.2.1", "2001:db8:0:0:0:0:0:1");
    }

    @Test
    void longAnswerIsFetchedByTcp() throws Exception {
        String[] many =
                IntStream.range(0, 100).mapToObj(i -> "192.0.2." + i).toArray(String[]::new);
        server.answersByTcp("shop.test", many);
        assertThat(addresses("shop.test")).containsExactlyInAnyOrder(many);
        assertThat(server.queriesByTcp()).isPositive();
    }

    @Test
    void nameThatDoesNotExistFails() {
        Future<List<InetAddress>> lookup = names.resolveAll("nowhere.test");
        assertThat(lookup.awaitUninterruptibly(5, TimeUnit.SECONDS)).isTrue();
        assertThat(lookup.cause()).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void serverThatIsSilentIsNotWaitedForLong() {
        server.ignores("shop.test");
        Future<List<InetAddress>> lookup = names.resolveAll("shop.test");
        assertThat(lookup.awaitUninterruptibly(15, TimeUnit.SECONDS)).isTrue();
        assertThat(lookup.cause()).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void answerIsKeptAsLongAsItSays() throws Exception {
        server.answers("shop.test", 60, "192.0.2.1");
        var _ = addresses("shop.test");
        int before = server.queries();
        server.answers("shop.test", 60, "192.0.2.2");
        assertThat(addresses("shop.test")).containsExactly("192.0.2.1");
        assertThat(server.queries()).isEqualTo(before);
    }

    @Test
    void answerIsNotKeptLongerThanItSays() throws Exception {
        server.answers("shop.test", 1, "192.0.2.1");
        var _ = addresses("shop.test");
        server.answers("shop.test", 1, "192.0.2.2");
        await().until(() -> addresses("shop.test").equals(List.of("192.0.2.2")));
    }

    private List<String> addresses(String name) throws Exception {
        return names.resolveAll(name).get(10, TimeUnit.SECONDS).stream()
                .map(InetAddress::getHostAddress)
                .toList();
    }
}
