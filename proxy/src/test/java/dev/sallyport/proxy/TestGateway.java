package dev.sallyport.proxy;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.metric.Metric;
import dev.sallyport.proxy.metric.Reading;
import dev.sallyport.tls.front.TlsFront;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A whole data plane on loopback, fed with snapshots that a test puts together. */
final class TestGateway implements AutoCloseable {
    static final Listener HTTP = new Listener("http", "127.0.0.1", 0, new ListenerProtocol.Http());
    static final Listener HTTPS =
            new Listener("https", "127.0.0.1", 0, new ListenerProtocol.Https(TlsPolicy.DEFAULT));

    private static final Instant CREATED = Instant.parse("2026-01-01T00:00:00Z");

    final GatewayDataPlane plane;
    final X509Bundle authority;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final TlsFront tls;
    private final Map<Hostname, CertificateSet> certificates = new LinkedHashMap<>();
    private final Map<String, RawBackend> hosts = new LinkedHashMap<>();
    private List<Listener> listeners = List.of(HTTP, HTTPS);
    private long version;

    TestGateway(ProxySettings settings) {
        this(settings, new AddressGuard(true));
    }

    TestGateway(ProxySettings settings, AddressGuard guard) {
        InstantSource clock = InstantSource.fixed(CREATED);
        tls = new TlsFront(100, clock, new byte[32], timer);
        plane = new GatewayDataPlane(settings, tls, guard, clock);
        try {
            authority =
                    new CertificateBuilder()
                            .subject("CN=Test CA")
                            .setIsCertificateAuthority(true)
                            .buildSelfSigned();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static ProxySettings settings() {
        return settings(ProxySettings.Transport.AUTO, ProxySettings.Timeouts.DEFAULT);
    }

    static ProxySettings settings(
            ProxySettings.Transport transport, ProxySettings.Timeouts timeouts) {
        return settings(transport, ProxySettings.Limits.DEFAULT, timeouts, off());
    }

    static ProxySettings settings(
            ProxySettings.Transport transport,
            ProxySettings.Limits limits,
            ProxySettings.Timeouts timeouts,
            ProxySettings.AccessLogSettings log) {
        ProxySettings base = ProxySettings.DEFAULT;
        return new ProxySettings(
                transport,
                2,
                limits,
                timeouts,
                base.forwarding(),
                base.hsts(),
                log,
                base.escapedSlashes());
    }

    static ProxySettings.AccessLogSettings off() {
        return new ProxySettings.AccessLogSettings(
                ProxySettings.AccessLogSettings.Format.OFF, "stdout", 16);
    }

    /** Routes everything of {@code host} to {@code backend}. */
    TestGateway host(String host, RawBackend backend) {
        hosts.put(host, backend);
        return this;
    }

    /** A new certificate for {@code host}; returns its serial number. */
    String certificate(String host) {
        try {
            X509Bundle leaf =
                    new CertificateBuilder()
                            .subject("CN=" + host)
                            .addSanDnsName(host)
                            .buildIssuedBy(authority);
            CertificateBundle bundle = bundle(leaf);
            certificates.put(Hostname.parse(host), set(bundle));
            return bundle.serial();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static CertificateBundle bundle(X509Bundle made) throws GeneralSecurityException {
        List<byte[]> chain = new ArrayList<>();
        for (X509Certificate certificate : made.getCertificatePath()) {
            chain.add(certificate.getEncoded());
        }
        return CertificateBundle.of(chain, made.getKeyPair().getPrivate().getEncoded());
    }

    static CertificateSet set(CertificateBundle bundle) {
        return CertificateSet.of(
                List.of(
                        new ServedCertificate(
                                bundle,
                                new ObjectRef("Secret", "default", "tls"),
                                CREATED,
                                false)));
    }

    TestGateway listeners(Listener... all) {
        listeners = List.of(all);
        return this;
    }

    /** Puts in service what was said so far. */
    Applied apply() {
        Map<Hostname, VirtualHost> virtualHosts = new LinkedHashMap<>();
        Map<UpstreamKey, Upstream> upstreams = new LinkedHashMap<>();
        hosts.forEach((host, backend) -> {
            var key = new UpstreamKey("default", host.replace('.', '-'), 80);
            upstreams.put(
                    key, new Upstream(key, List.of(new Endpoint("127.0.0.1", backend.port()))));
            virtualHosts.put(
                    Hostname.parse(host),
                    VirtualHost.of(
                            List.of(
                                    new Route(
                                            new PathMatch.Prefix("/"),
                                            new RouteAction.Forward(
                                                    List.of(new WeightedBackend(key, 1))),
                                            new ObjectRef("Ingress", "default", "web"),
                                            CREATED)),
                            Optional.empty(),
                            Optional.empty()));
        });
        return plane.apply(
                new GatewaySnapshot(
                        ++version,
                        listeners,
                        new RoutingTable(
                                HostTable.copyOf(virtualHosts),
                                RoutingTable.EMPTY.anyHost(),
                                Optional.empty()),
                        new CertificateTable(HostTable.copyOf(certificates), Optional.empty()),
                        ShardedMap.copyOf(upstreams)));
    }

    int port(Listener listener) {
        return address(listener).getPort();
    }

    InetSocketAddress address(Listener listener) {
        return Objects.requireNonNull(plane.address(listener.name()));
    }

    Socket plain() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port(HTTP));
        socket.setSoTimeout(10_000);
        return socket;
    }

    /** With SNI, and ALPN http/1.1. */
    SSLSocket secure(String host) throws IOException {
        var raw = new Socket(InetAddress.getLoopbackAddress(), port(HTTPS));
        raw.setSoTimeout(10_000);
        var socket =
                (SSLSocket)
                        trusting().getSocketFactory().createSocket(raw, host, port(HTTPS), true);
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    static String serialOf(SSLSocket socket) throws IOException {
        var leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
        String digits = leaf.getSerialNumber().toString(16);
        return digits.length() % 2 == 0 ? digits : "0" + digits;
    }

    /** Trusts the test's authority only. */
    SSLContext trusting() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry("ca", authority.getCertificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static void ask(Socket socket, String host, String path) throws IOException {
        socket.getOutputStream()
                .write(
                        ("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    /** A response whose body ends with {@code end}; or what came until the connection ended. */
    static String answer(Socket socket, String end) throws IOException {
        var text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0 || text.indexOf(end) < 0) {
            int b = socket.getInputStream().read();
            if (b < 0) {
                break;
            }
            text.append((char) b);
        }
        return text.toString();
    }

    double metric(Metric metric) {
        return plane.metrics().read().families().stream()
                .filter(family -> family.metric() == metric)
                .flatMap(family -> family.samples().stream())
                .mapToDouble(sample ->
                        switch (sample) {
                            case Reading.Value value -> value.value();
                            case Reading.Distribution all -> all.count();
                        })
                .sum();
    }

    @Override
    public void close() {
        plane.close();
        tls.close();
        timer.shutdownNow();
    }
}
