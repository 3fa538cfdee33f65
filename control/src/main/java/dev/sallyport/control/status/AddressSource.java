package dev.sallyport.control.status;

import dev.sallyport.control.resource.LoadBalancerAddress;
import java.util.List;
import java.util.Optional;

/** Where clients reach the gateway. */
public sealed interface AddressSource extends AutoCloseable
        permits GivenAddresses, ServiceAddresses, NodeAddresses {

    /**
     * Begins to look.
     *
     * @param changed called from any thread when {@link #addresses} may say something else; does
     *     not block
     */
    void start(Runnable changed);

    /** Looks again, where nothing tells of changes. Called while this replica writes; may block. */
    void refresh() throws InterruptedException;

    /** What is known; empty where nothing is. Safe from any thread. */
    Optional<List<LoadBalancerAddress>> addresses();

    /** Looks no more. */
    @Override
    void close();
}
