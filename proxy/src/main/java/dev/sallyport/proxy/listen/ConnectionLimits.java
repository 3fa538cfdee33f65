package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.metric.ProxyMetrics;
import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How many client connections there may be: in all, and from one client. A client is an IPv4
 * address or an IPv6 /64, the least that a household or an attacker is given.
 *
 * <p>Concurrency: safe from any thread; counted before it is judged, so that no bound is ever
 * exceeded.
 */
final class ConnectionLimits {
    private final int total;
    private final int perClient;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<Client, Integer> clients = new ConcurrentHashMap<>();

    /**
     * @param prefix an IPv4 address, or the upper half of an IPv6 one
     */
    private record Client(long prefix, boolean v6) {
        static Client of(InetAddress address) {
            byte[] bytes = address.getAddress();
            boolean v6 = bytes.length == 16;
            long prefix = 0;
            for (int i = 0; i < (v6 ? 8 : 4); i++) {
                prefix = prefix << 8 | (bytes[i] & 0xff);
            }
            return new Client(prefix, v6);
        }
    }

    ConnectionLimits(int total, int perClient) {
        this.total = total;
        this.perClient = perClient;
    }

    /** Counts one more, or says which bound forbids it. */
    ProxyMetrics.@Nullable ConnectionLimit acquire(InetAddress address) {
        if (open.incrementAndGet() > total) {
            open.decrementAndGet();
            return ProxyMetrics.ConnectionLimit.TOTAL;
        }
        Client client = Client.of(address);
        if (clients.merge(client, 1, Integer::sum) > perClient) {
            release(client);
            return ProxyMetrics.ConnectionLimit.CLIENT;
        }
        return null;
    }

    /** One that was counted is closed. */
    void release(InetAddress address) {
        release(Client.of(address));
    }

    int open() {
        return open.get();
    }

    private void release(Client client) {
        clients.computeIfPresent(client, (_, count) -> count == 1 ? null : count - 1);
        open.decrementAndGet();
    }
}
