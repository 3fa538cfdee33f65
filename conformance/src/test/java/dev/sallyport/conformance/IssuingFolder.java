package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import javax.net.ssl.SSLSocket;
import org.awaitility.core.ConditionTimeoutException;

/**
 * What a gateway serves that has certificates issued by itself: a folder with a Service, and the
 * ports on which CAs ask it for proofs.
 */
final class IssuingFolder implements AutoCloseable {
    /** Whatever a CA could not prove is tried again after two minutes. */
    static final Duration SOON = Duration.ofSeconds(200);

    private static final String SERVICE = "shop";

    private final Path work;
    private final Pki pki;
    private final Folder folder;
    private final Backend backend = Backend.start(Echo.named(SERVICE));
    private final int http = Gateway.freePort();
    private final int https = Gateway.freePort();

    private IssuingFolder(Path work) {
        this.work = work;
        this.pki = Pki.in(work);
        this.folder = Folder.in(work).put("shop.yaml", Manifests.service(SERVICE, backend));
    }

    static IssuingFolder in(Path work) {
        return new IssuingFolder(work);
    }

    /** Who signed the certificates that CAs are asked with. */
    Pki pki() {
        return pki;
    }

    Folder folder() {
        return folder;
    }

    /** Where the gateway keeps what is issued. */
    Path state() {
        return work.resolve("state");
    }

    /** A CA that asks here. */
    Pebble pebble(String name, Pebble.Behaviour behaviour) {
        return Pebble.start(work.resolve(name), pki, http, https, behaviour);
    }

    /** An Ingress of a host that asks for nothing. */
    IssuingFolder host(String host) {
        return host(ingress(host.replace("*", "any")), host);
    }

    /** An Ingress of a host. */
    IssuingFolder host(Manifests.Ingress ingress, String host) {
        folder.put(host.replace("*", "any") + ".yaml", ingress.host(host, SERVICE).yaml());
        return this;
    }

    /** The gateway as flags have it. */
    Gateway.Starter gateway(String directory) {
        return starter().acme(directory, pki.caFile());
    }

    /** The gateway as a configuration file's section {@code acme} has it. */
    Gateway.Starter configured(String acme) {
        return starter().config("acme:\n" + acme.indent(2));
    }

    private Gateway.Starter starter() {
        return Gateway.in(work, pki, folder)
                .ports(http, https)
                .flags("--state", state().toString());
    }

    /** An issuer that takes no more than its directory, as YAML. */
    String issuer(String directory) {
        return "directory: "
                + directory
                + "\nagree-terms: true\nca-file: "
                + pki.caFile()
                + "\ncontacts: [admin@shop.example]\n";
    }

    /** Waits until a host is served with a certificate below this root. */
    static X509Certificate awaitTrusted(Gateway gateway, String host, X509Certificate root) {
        try {
            return await("a trusted certificate for " + host)
                    .pollInterval(Duration.ofMillis(10))
                    .atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> trusted(gateway, host, root), leaf -> true);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    host + ": no trusted certificate: " + gateway.findings() + gateway.err(), e);
        }
    }

    /** Waits until it is served with another certificate than this one. */
    static X509Certificate awaitOther(
            Gateway gateway, String host, X509Certificate root, BigInteger than) {
        return await("another certificate for " + host)
                .pollInterval(Duration.ofMillis(10))
                .atMost(SOON)
                .until(
                        () -> trusted(gateway, host, root),
                        leaf -> !leaf.getSerialNumber().equals(than));
    }

    /** What a host is served with, to somebody who trusts this root only. */
    static X509Certificate trusted(Gateway gateway, String host, X509Certificate root)
            throws IOException {
        try (SSLSocket socket =
                Handshakes.connect(Pki.trusting(root), gateway.httpsAddress(), host)) {
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    @Override
    public void close() {
        backend.close();
    }
}
