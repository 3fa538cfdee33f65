package dev.sallyport.app.wire;

import dev.sallyport.acme.store.UnusableStateFolder;
import dev.sallyport.app.admin.AcmeDesk;
import dev.sallyport.app.admin.AdminServer;
import dev.sallyport.app.admin.AdminState;
import dev.sallyport.app.admin.Readiness;
import dev.sallyport.app.config.BindAddress;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.control.ClusterControl;
import dev.sallyport.control.Control;
import dev.sallyport.control.ControlSettings;
import dev.sallyport.control.FolderControl;
import dev.sallyport.control.ReportSettings;
import dev.sallyport.control.Reported;
import dev.sallyport.control.acme.AcmeSettings;
import dev.sallyport.control.acme.ClusterAcme;
import dev.sallyport.control.acme.FolderAcme;
import dev.sallyport.control.acme.Replica;
import dev.sallyport.control.cluster.ClusterAccess;
import dev.sallyport.control.cluster.ClusterClient;
import dev.sallyport.control.cluster.InvalidKubeconfig;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Severity;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.OwnAddresses;
import dev.sallyport.proxy.metric.Reading;
import dev.sallyport.tls.certificate.SelfSigned;
import dev.sallyport.tls.context.NativeProof;
import dev.sallyport.tls.context.NativeTls;
import dev.sallyport.tls.context.NativeTlsUnavailable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running gateway: data plane, control side and admin port. */
public final class Gateway implements AdminState, AutoCloseable {
    /*
     * Concurrency: started by one thread and stopped by one, perhaps another. Everybody else reads
     * the volatile fields; `phase` only goes forward.
     */
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

    /**
     * Only strangers see the self-signed certificate, and every start makes a new one; nothing
     * renews it meanwhile, so it lives longer than any process.
     */
    private static final Duration FALLBACK_VALIDITY = Duration.ofDays(3650);

    private enum Phase {
        STARTING,
        SERVING,
        DRAINING
    }

    private final EffectiveConfig config;
    private final OwnAddresses own;
    private final InstantSource time;
    private final Traffic traffic;
    private @Nullable AdminServer admin;
    private volatile @Nullable Control control;
    private volatile @Nullable ClusterClient cluster;
    private volatile Phase phase = Phase.STARTING;

    private Gateway(EffectiveConfig config, OwnAddresses own, InstantSource time, Traffic traffic) {
        this.config = config;
        this.own = own;
        this.time = time;
        this.traffic = traffic;
    }

    /**
     * Starts everything; returns when the first snapshot is in service and every listener is bound
     * or reported, however long the source takes. The admin port answers from early on.
     *
     * @param source whose objects are served
     * @throws StartFailed where that is impossible; nothing is left running
     * @throws InterruptedException where the process is told to stop meanwhile
     */
    public static Gateway start(EffectiveConfig config, ObjectSource source, InstantSource time)
            throws StartFailed, InterruptedException {
        String tls = requireTls();
        LOG.atInfo()
                .addKeyValue("version", Version.current())
                .addKeyValue("java", Runtime.version())
                .addKeyValue("tls", tls)
                .addKeyValue("source", source)
                .log("sallyport starts");
        OwnAddresses own = Whereabouts.of(config);
        var gateway = new Gateway(config, own, time, Traffic.open(config, own, time));
        try {
            gateway.startAdmin();
            gateway.startControl(source);
            gateway.report();
            return gateway;
        } catch (StartFailed | InterruptedException | RuntimeException failed) {
            gateway.stop();
            throw failed;
        }
    }

    @Override
    public GatewaySnapshot served() {
        return traffic.current();
    }

    @Override
    public ControlState control() {
        Control started = control;
        return started == null ? ControlState.EMPTY : started.state();
    }

    @Override
    public Optional<Duration> sinceLastLook() {
        Control started = control;
        return started == null ? Optional.empty() : started.sinceLastLook();
    }

    @Override
    public Readiness readiness() {
        return switch (phase) {
            case STARTING -> Readiness.notYet("starting: waiting for " + waitingFor());
            case SERVING -> stored().staleSince().map(this::stale).orElse(Readiness.READY);
            case DRAINING -> Readiness.notYet("draining");
        };
    }

    private Readiness stale(Instant asOf) {
        Control started = control;
        return Optional.ofNullable(started)
                .flatMap(Control::refused)
                .map(what -> Readiness.refused(asOf, what))
                .orElseGet(() -> Readiness.staleSince(asOf));
    }

    private String waitingFor() {
        Control started = control;
        return started == null
                ? "the control side"
                : started.waitingFor().orElse("the first snapshot");
    }

    @Override
    public int heldBack() {
        Control started = control;
        return started == null ? 0 : started.heldBack();
    }

    @Override
    public StoreReport stored() {
        Control started = control;
        return started == null ? StoreReport.NONE : started.stored();
    }

    @Override
    public Reading traffic() {
        return traffic.metrics();
    }

    /** Where each listener is bound, by name; those that could not be bound are missing. */
    public Map<String, InetSocketAddress> bound() {
        return traffic.bound();
    }

    /** Where the admin port is bound. */
    public InetSocketAddress adminAddress() {
        if (admin == null) {
            throw new IllegalStateException("not started");
        }
        return admin.address();
    }

    @Override
    public Optional<AcmeDesk> acme() {
        Control started = control;
        return started == null ? Optional.empty() : started.acme().map(AcmeDesk::of);
    }

    @Override
    public Reported reported() {
        Control started = control;
        return started == null ? Reported.NOTHING : started.reported();
    }

    /**
     * Drains as configured, then stops. Blocks for as long as that takes. Another replica need not
     * wait for that to take over what is told to the cluster.
     */
    @Override
    public void close() {
        phase = Phase.DRAINING;
        Control started = control;
        if (started != null) {
            Thread.ofVirtual().name("fall-silent").start(started::fallSilent);
        }
        traffic.drain();
        stop();
    }

    private void stop() {
        Control started = control;
        if (started != null) {
            started.close();
        }
        ClusterClient client = cluster;
        if (client != null) {
            client.close();
        }
        traffic.close();
        if (admin != null) {
            admin.close();
        }
    }

    private void startAdmin() throws StartFailed {
        BindAddress address = config.config().listeners().admin();
        AdminServer started;
        try {
            started = AdminServer.start(address.toSocketAddress(), this);
        } catch (IOException taken) {
            throw new StartFailed(
                    "the admin port " + address + " cannot be bound: " + taken.getMessage(),
                    "Free the port, or choose another one with --admin ADDR:PORT.");
        }
        admin = started;
        LOG.atInfo()
                .addKeyValue("listener", "admin")
                .addKeyValue(
                        "address", new BindAddress(address.host(), started.address().getPort()))
                .log("listening");
    }

    private void startControl(ObjectSource source) throws StartFailed, InterruptedException {
        Control opened =
                switch (source) {
                    case ObjectSource.Folder(Path folder) ->
                            FolderControl.open(
                                    folder, controlSettings(), traffic, time, openAcme());
                    case ObjectSource.Cluster(ClusterAccess access, Optional<String> pod) ->
                            openCluster(access, pod);
                };
        control = opened;
        try {
            var _ = opened.firstApplied().get();
        } catch (ExecutionException bug) {
            throw new IllegalStateException(bug.getCause());
        }
        if (!config.listeners().isEmpty() && traffic.bound().isEmpty()) {
            throw new StartFailed(
                    "no listener could be bound: "
                            + String.join(
                                    "; ",
                                    opened.state().applied().findings().stream()
                                            .map(Finding::message)
                                            .toList()),
                    "Free the ports, or choose others with --http ADDR:PORT and --https ADDR:PORT.");
        }
        phase = Phase.SERVING;
    }

    private ControlSettings controlSettings() {
        return config.controlSettings(fallback(), own).provenBy(new NativeProof());
    }

    private Optional<FolderAcme> openAcme() throws StartFailed {
        if (config.acme().isEmpty()) {
            return Optional.empty();
        }
        AcmeSettings settings = config.acme().get();
        try {
            return Optional.of(FolderAcme.open(settings, time, this::bindings));
        } catch (UnusableStateFolder unusable) {
            throw new StartFailed(String.valueOf(unusable.getMessage()), unusable.advice());
        }
    }

    /** The ports that this gateway is bound to now, by what they speak. */
    private Replica bindings() {
        Map<String, InetSocketAddress> bound = traffic.bound();
        List<InetSocketAddress> http = new ArrayList<>();
        List<InetSocketAddress> https = new ArrayList<>();
        for (Listener listener : config.listeners()) {
            InetSocketAddress address = bound.get(listener.name());
            if (address != null) {
                switch (listener.protocol()) {
                    case ListenerProtocol.Http _ -> http.add(address);
                    case ListenerProtocol.Https _ -> https.add(address);
                }
            }
        }
        return new Replica(http, https);
    }

    private Control openCluster(ClusterAccess access, Optional<String> pod) throws StartFailed {
        ClusterClient client;
        try {
            client = ClusterClient.open(access);
        } catch (InvalidKubeconfig unusable) {
            throw StartFailed.configured(
                    String.valueOf(unusable.getMessage()),
                    switch (access) {
                        case ClusterAccess.Kubeconfig(Path file, _) ->
                                "Mend it until `kubectl --kubeconfig "
                                        + file
                                        + " get ingresses` works, or name another one with --kubeconfig FILE.";
                        case ClusterAccess.ServiceAccount _ ->
                                "Look at the Pod's service account and the volume it is mounted from.";
                    });
        }
        cluster = client;
        ReportSettings told = config.reportSettings(pod);
        return ClusterControl.open(
                client,
                config.clusterSettings(),
                config.store(),
                told,
                config.acme()
                        .map(acme ->
                                new ClusterAcme(
                                        acme,
                                        client,
                                        told.leaseName(),
                                        config.serviceOfReplicas(),
                                        time,
                                        this::bindings)),
                controlSettings(),
                traffic,
                time);
    }

    private Optional<CertificateSet> fallback() {
        var bundle =
                SelfSigned.make(
                        List.of(new Hostname.Exact("sallyport.invalid")), FALLBACK_VALIDITY, time);
        var served =
                new ServedCertificate(
                        bundle, ObjectRef.gateway("self-signed"), time.instant(), true);
        return Optional.of(CertificateSet.of(List.of(served)));
    }

    private void report() {
        ControlState state = control();
        long errors = count(state.findings(), Severity.ERROR);
        long warnings = count(state.findings(), Severity.WARNING);
        LOG.atInfo()
                .addKeyValue("objects", new TreeMap<>(state.objects()))
                .addKeyValue("hosts", served().routes().hosts().size())
                .addKeyValue("certificates", served().certificates().hosts().size())
                .addKeyValue("errors", errors)
                .addKeyValue("warnings", warnings)
                .log("ready");
    }

    private static long count(List<Finding> findings, Severity severity) {
        return findings.stream().filter(finding -> finding.severity() == severity).count();
    }

    private static String requireTls() throws StartFailed {
        try {
            return NativeTls.require();
        } catch (NativeTlsUnavailable missing) {
            throw new StartFailed(String.valueOf(missing.getMessage()), missing.advice());
        }
    }
}
