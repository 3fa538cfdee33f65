package dev.sallyport.proxy;

import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.util.function.Supplier;

/**
 * The one reference through which the control side reaches traffic. Written by the caller of {@link
 * GatewayDataPlane#apply} only; read once for each ClientHello and once for each request.
 */
final class SnapshotCell implements Supplier<GatewaySnapshot> {
    private volatile GatewaySnapshot snapshot = GatewaySnapshot.EMPTY;

    @Override
    public GatewaySnapshot get() {
        return snapshot;
    }

    /** For handshakes. */
    CertificateTable certificates() {
        return snapshot.certificates();
    }

    void publish(GatewaySnapshot next) {
        snapshot = next;
    }
}
