package dev.sallyport.control.acme;

import java.net.InetSocketAddress;
import java.util.List;

/**
 * Where a gateway that a CA may ask is reached.
 *
 * @param http its plain ports
 * @param https its TLS ports
 */
public record Replica(List<InetSocketAddress> http, List<InetSocketAddress> https) {
    public Replica {
        http = List.copyOf(http);
        https = List.copyOf(https);
    }
}
