package dev.sallyport.control.status;

import dev.sallyport.control.resource.LoadBalancerAddress;
import java.util.List;
import java.util.Optional;

/**
 * What the operator wrote.
 *
 * @param given in the operator's order
 */
public record GivenAddresses(List<LoadBalancerAddress> given) implements AddressSource {
    public GivenAddresses {
        given = List.copyOf(given);
    }

    @Override
    public void start(Runnable changed) {}

    @Override
    public void refresh() {}

    @Override
    public Optional<List<LoadBalancerAddress>> addresses() {
        return Optional.of(given);
    }

    @Override
    public void close() {}
}
