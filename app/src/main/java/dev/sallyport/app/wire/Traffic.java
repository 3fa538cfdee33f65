package dev.sallyport.app.wire;

import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.proxy.GatewayDataPlane;
import dev.sallyport.proxy.listen.TransportUnavailable;
import dev.sallyport.proxy.metric.Reading;
import dev.sallyport.tls.front.TlsFront;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The data plane with all it needs, as the program starts and stops it. */
final class Traffic implements DataPlane, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Traffic.class);
    private static final int TICKET_SECRET_BYTES = 48;

    private final ScheduledExecutorService timer;
    private final TlsFront tls;
    private final GatewayDataPlane plane;

    private Traffic(ScheduledExecutorService timer, TlsFront tls, GatewayDataPlane plane) {
        this.timer = timer;
        this.tls = tls;
        this.plane = plane;
    }

    /**
     * Starts it; nothing is bound before the first snapshot.
     *
     * @param own where the gateway can be reached
     * @throws StartFailed where the configured transport cannot be used here
     */
    static Traffic open(EffectiveConfig config, OwnAddresses own, InstantSource time)
            throws StartFailed {
        ScheduledExecutorService timer =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("ticket-keys").factory());
        byte[] ticketSecret = new byte[TICKET_SECRET_BYTES];
        new SecureRandom().nextBytes(ticketSecret);
        var tls =
                new TlsFront(config.config().tls().cachedCredentials(), time, ticketSecret, timer);
        Arrays.fill(ticketSecret, (byte) 0);
        try {
            return new Traffic(
                    timer,
                    tls,
                    new GatewayDataPlane(
                            config.proxySettings(), tls, config.addressGuard(own), time));
        } catch (TransportUnavailable missing) {
            tls.close();
            timer.shutdownNow();
            throw new StartFailed(
                    String.valueOf(missing.getMessage()),
                    "Set event-loops.transport to auto, or to one that this system has.");
        }
    }

    @Override
    public Applied apply(GatewaySnapshot snapshot) {
        return plane.apply(snapshot);
    }

    @Override
    public Optional<Applied> proceed() {
        return plane.proceed();
    }

    /** What is served. */
    GatewaySnapshot current() {
        return plane.current();
    }

    /** What is counted. */
    Reading metrics() {
        return plane.metrics().read();
    }

    /** Where each listener is bound, by name; those that could not be bound are missing. */
    Map<String, InetSocketAddress> bound() {
        Map<String, InetSocketAddress> bound = new LinkedHashMap<>();
        for (String name : plane.boundListeners()) {
            InetSocketAddress address = plane.address(name);
            if (address != null) {
                bound.put(name, address);
            }
        }
        return bound;
    }

    /** Ends connections in good order, as long as the configuration allows. */
    void drain() {
        LOG.atInfo().addKeyValue("connections", plane.openConnections()).log("draining");
        try {
            int cut = plane.drain();
            LOG.atInfo().addKeyValue("cut", cut).log("drained");
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes everything at once. */
    @Override
    public void close() {
        plane.close();
        tls.close();
        timer.shutdownNow();
    }
}
