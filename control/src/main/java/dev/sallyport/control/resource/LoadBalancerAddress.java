package dev.sallyport.control.resource;

import java.util.Comparator;

/**
 * An address at which clients reach a gateway, as {@code status.loadBalancer} names it: as it was
 * written, since that is what is compared.
 */
public sealed interface LoadBalancerAddress {

    /** IP addresses first, then by text. */
    Comparator<LoadBalancerAddress> ORDER =
            Comparator.comparing((LoadBalancerAddress address) -> address instanceof Name)
                    .thenComparing(LoadBalancerAddress::text);

    /** As people write it. */
    String text();

    /** An IPv4 or IPv6 address. */
    record Ip(String text) implements LoadBalancerAddress {}

    /** A host name. */
    record Name(String text) implements LoadBalancerAddress {}
}
