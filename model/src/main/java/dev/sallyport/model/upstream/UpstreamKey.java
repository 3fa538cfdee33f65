package dev.sallyport.model.upstream;

import java.util.Comparator;

/**
 * Names an upstream: the Service and the port a backend asks for.
 *
 * @param namespace the Service's
 * @param service the Service's name
 * @param port the Service port's number
 */
public record UpstreamKey(String namespace, String service, int port) {

    /** By namespace, Service and port. */
    public static final Comparator<UpstreamKey> ORDER =
            Comparator.comparing(UpstreamKey::namespace)
                    .thenComparing(UpstreamKey::service)
                    .thenComparingInt(UpstreamKey::port);

    /** {@code default/shop:80}. */
    @Override
    public String toString() {
        return namespace + "/" + service + ":" + port;
    }
}
