package dev.sallyport.tls.front;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.listener.TlsPolicy;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;

/** The TLS half of the data plane. */
public final class TlsFront implements AutoCloseable {

    /**
     * @param cachedCredentials how many bundles are held natively; the others are loaded when a
     *     handshake asks for them
     * @param ticketSecret at least 32 random bytes; replicas that share it resume each other's
     *     sessions
     * @param timer rotates the ticket keys
     * @throws dev.sallyport.tls.context.NativeTlsUnavailable where the native library is missing
     */
    public TlsFront(
            int cachedCredentials,
            InstantSource clock,
            byte[] ticketSecret,
            ScheduledExecutorService timer) {}

    /**
     * A listener's TLS side.
     *
     * @param certificates the table in service; read once for each ClientHello
     * @throws IllegalArgumentException where the native library refuses the policy
     */
    public TlsAcceptor acceptor(
            TlsPolicy policy,
            Supplier<CertificateTable> certificates,
            HandshakeLimits limits,
            HandshakeListener listener) {
        return new TlsAcceptor();
    }

    /** Why the native library would not serve this certificate, if so; loads it once to see. */
    public Optional<Finding> refusal(ServedCertificate certificate) {
        return Optional.empty();
    }

    /** Gives back the native side of a bundle that no table holds any more, before it ages out. */
    public void forget(CertificateBundle bundle) {}

    /** Native credentials made since the start. */
    public long credentialsCreated() {
        return 0;
    }

    /** Native credentials freed since the start; equal to those created once all is closed. */
    public long credentialsFreed() {
        return 0;
    }

    /**
     * Ends the rotation of ticket keys and gives back all native memory but that of connections.
     */
    @Override
    public void close() {}
}
