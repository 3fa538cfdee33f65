package dev.sallyport.app.config;

import dev.sallyport.control.ControlSettings;
import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.acme.AcmeSettings;
import dev.sallyport.control.cluster.ClusterSettings;
import dev.sallyport.control.reconcile.HoldOff;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.control.source.FolderSettings;
import dev.sallyport.control.stored.StoreSettings;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.proxy.ProxySettings;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A configuration that was read without a problem, and what it means to each part of the program.
 *
 * @param config what the program runs with
 * @param listeners the ports to bind, with what is in the files that they name
 * @param settings every value with its source, in the order of the documentation
 * @param podAddresses those of the pod that it runs in, and of nobody else; empty where there is no
 *     pod, or it shares its node's
 * @param store where the last known good state of a cluster is kept, with the key that its file
 *     holds; empty where it is not
 * @param acme how certificates are issued by the gateway itself; empty where they are not
 */
public record EffectiveConfig(
        GatewayConfig config,
        List<Listener> listeners,
        List<Setting> settings,
        Set<InetAddress> podAddresses,
        Optional<StoreSettings> store,
        Optional<AcmeSettings> acme) {
    public EffectiveConfig {
        listeners = List.copyOf(listeners);
        podAddresses = Set.copyOf(podAddresses);
        settings = List.copyOf(settings);
    }

    /** For the data plane. */
    public ProxySettings proxySettings() {
        return new ProxySettings(
                config.eventLoops().transport(),
                config.eventLoops().count(),
                limits(config.limits()),
                timeouts(config.timeouts()),
                new ProxySettings.Forwarding(
                        config.forwarding().trustedProxies().stream().map(Cidr::toString).toList(),
                        config.forwarding().forwarded()),
                hsts(config.hsts()),
                new ProxySettings.AccessLogSettings(
                        config.accessLog().format(),
                        config.accessLog().output().text(),
                        config.accessLog().queue()),
                config.forwarding().escapedSlashes());
    }

    /** Which addresses endpoints may have, where the gateway can be reached at {@code own}. */
    public AddressGuard addressGuard(OwnAddresses own) {
        return new AddressGuard(config.ingress().loopbackEndpoints(), own);
    }

    /**
     * For the control side.
     *
     * @param fallback the default certificate while no configured one can be used
     * @param own where the gateway can be reached
     */
    public ControlSettings controlSettings(Optional<CertificateSet> fallback, OwnAddresses own) {
        GatewayConfig.Ingress ingress = config.ingress();
        GatewayConfig.Redirect redirect = config.redirect();
        GatewayConfig.Folder folder = config.folder();
        return new ControlSettings(
                new TranslationSettings(
                        listeners,
                        Set.copyOf(ingress.classes()),
                        Set.copyOf(ingress.controllers()),
                        ingress.servesAllWithoutClasses(),
                        redirect.enabled(),
                        new HttpsRedirect(redirect.status(), redirect.port()),
                        ingress.defaultBackend(),
                        config.tls().defaultCertificate().map(name -> name.of("Secret")),
                        fallback,
                        config.tls().strictSni(),
                        addressGuard(own),
                        ingress.externalNames(),
                        Optional.empty()),
                new FolderSettings(
                        folder.notifications(),
                        folder.pollInterval(),
                        folder.settle(),
                        folder.vanishGrace(),
                        folder.maxFileSize().toInt(),
                        folder.maxFiles(),
                        folder.maxDepth()),
                new HoldOff(
                        config.reconcile().interval(),
                        config.reconcile().burst(),
                        config.reconcile().cap()),
                KeyProof.BY_SIGNATURE);
    }

    /** For the control side, where a cluster is served. */
    public ClusterSettings clusterSettings() {
        return new ClusterSettings(
                config.kubernetes().watchNamespaces(),
                config.kubernetes().secrets(),
                config.kubernetes().holdBack());
    }

    /** The Service in front of all replicas, where it is known. */
    public Optional<ObjectRef> serviceOfReplicas() {
        return config.acme()
                .service()
                .or(config.kubernetes()::publishService)
                .map(name -> name.of("Service"));
    }

    /**
     * For the control side, where a cluster is served.
     *
     * @param pod the Pod that this process runs in, if it does
     */
    public ReportSettings reportSettings(Optional<String> pod) {
        GatewayConfig.Kubernetes kubernetes = config.kubernetes();
        return new ReportSettings(
                kubernetes.status(),
                kubernetes.events(),
                kubernetes.publishAddresses().stream().map(EffectiveConfig::address).toList(),
                kubernetes.publishService().map(name -> name.of("Service")),
                pod,
                kubernetes.leaseName(),
                kubernetes.leaseNamespace());
    }

    private static LoadBalancerAddress address(PublishAddress address) {
        return address.ip()
                ? new LoadBalancerAddress.Ip(address.text())
                : new LoadBalancerAddress.Name(address.text());
    }

    private static ProxySettings.Limits limits(GatewayConfig.Limits limits) {
        return new ProxySettings.Limits(
                limits.connections(),
                limits.connectionsPerClient(),
                limits.requestsInFlight(),
                limits.headerBytes().toInt(),
                limits.headerCount(),
                limits.uriBytes().toInt(),
                limits.requestBodyBytes().bytes(),
                limits.requestsPerConnection(),
                limits.concurrentStreams(),
                limits.streamWindow().toInt(),
                limits.connectionWindow().toInt(),
                limits.resetsPerHalfMinute(),
                limits.controlFramesPerHalfMinute(),
                limits.writeBuffer().toInt(),
                limits.upstreamConnections(),
                limits.upstreamIdle(),
                limits.upstreamPending());
    }

    private static ProxySettings.Timeouts timeouts(GatewayConfig.Timeouts timeouts) {
        return new ProxySettings.Timeouts(
                timeouts.handshake(),
                timeouts.header(),
                timeouts.bodyIdle(),
                timeouts.request(),
                timeouts.keepAlive(),
                timeouts.stalledWrite(),
                timeouts.tunnelIdle(),
                timeouts.upstreamConnect(),
                timeouts.upstreamResponse(),
                timeouts.upstreamIdle(),
                timeouts.drainDelay(),
                timeouts.drain());
    }

    private static Optional<ProxySettings.Hsts> hsts(GatewayConfig.Hsts hsts) {
        return hsts.maxAge().isZero()
                ? Optional.empty()
                : Optional.of(
                        new ProxySettings.Hsts(
                                hsts.maxAge(), hsts.includeSubdomains(), hsts.preload()));
    }
}
