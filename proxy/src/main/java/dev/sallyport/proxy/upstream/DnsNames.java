package dev.sallyport.proxy.upstream;

import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.NameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsServerAddressStreamProvider;
import io.netty.resolver.dns.DnsServerAddressStreamProviders;
import java.net.InetAddress;
import java.util.function.Function;

/**
 * Resolves the names of ExternalName Services on the event loops, by the system's name servers. An
 * answer is kept as long as its TTL says, within bounds.
 */
public final class DnsNames implements Function<EventLoop, NameResolver<InetAddress>> {
    private static final int LEAST_TTL_SECONDS = 1;
    private static final int MOST_TTL_SECONDS = 300;
    private static final int NEGATIVE_TTL_SECONDS = 2;
    private static final long QUERY_MILLIS = 2_000;

    private final ChannelFactory<? extends DatagramChannel> datagrams;
    private final ChannelFactory<? extends SocketChannel> sockets;
    private final DnsServerAddressStreamProvider servers;

    /** Channels that fit the event loops; sockets are for answers too long for a datagram. */
    public DnsNames(
            ChannelFactory<? extends DatagramChannel> datagrams,
            ChannelFactory<? extends SocketChannel> sockets) {
        this(datagrams, sockets, DnsServerAddressStreamProviders.platformDefault());
    }

    /** As above, with name servers to ask instead of the system's. */
    DnsNames(
            ChannelFactory<? extends DatagramChannel> datagrams,
            ChannelFactory<? extends SocketChannel> sockets,
            DnsServerAddressStreamProvider servers) {
        this.datagrams = datagrams;
        this.sockets = sockets;
        this.servers = servers;
    }

    @Override
    public NameResolver<InetAddress> apply(EventLoop loop) {
        return new DnsNameResolverBuilder(loop)
                .datagramChannelFactory(datagrams)
                .socketChannelFactory(sockets)
                .nameServerProvider(servers)
                .ttl(LEAST_TTL_SECONDS, MOST_TTL_SECONDS)
                .negativeTtl(NEGATIVE_TTL_SECONDS)
                .queryTimeoutMillis(QUERY_MILLIS)
                .build();
    }
}
