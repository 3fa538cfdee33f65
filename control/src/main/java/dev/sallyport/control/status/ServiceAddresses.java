package dev.sallyport.control.status;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import io.fabric8.kubernetes.api.model.LoadBalancerIngress;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of the Service in front of the gateway, which is watched by its name.
 *
 * <p>Concurrency: written by the informer, one event at a time; read by anybody.
 */
public final class ServiceAddresses implements AddressSource {
    private static final Logger log = LoggerFactory.getLogger(ServiceAddresses.class);

    private final KubernetesClient client;
    private final String namespace;
    private final String name;
    private @Nullable SharedIndexInformer<Service> informer;
    private volatile @Nullable List<LoadBalancerAddress> known;
    private volatile boolean failing;

    /**
     * @param client one whose watches come back by themselves; stays the caller's
     */
    public ServiceAddresses(KubernetesClient client, String namespace, String name) {
        this.client = client;
        this.namespace = namespace;
        this.name = name;
    }

    @Override
    public void start(Runnable changed) {
        SharedIndexInformer<Service> watching =
                client.services().inNamespace(namespace).withName(name).runnableInformer(0);
        informer = watching;
        watching.exceptionHandler((_, failure) -> goOn(failure));
        watching.addEventHandler(new Handler(changed));
        var _ = watching.start();
    }

    /** The watch tells. */
    @Override
    public void refresh() {}

    @Override
    public Optional<List<LoadBalancerAddress>> addresses() {
        return Optional.ofNullable(known);
    }

    @Override
    public void close() {
        SharedIndexInformer<Service> watching = informer;
        if (watching != null) {
            watching.stop();
        }
    }

    /** Said once, until it was read. */
    private boolean goOn(Throwable failure) {
        if (!failing) {
            failing = true;
            log.atWarn()
                    .addKeyValue("service", namespace + "/" + name)
                    .addKeyValue("answer", ApiFault.answer(failure))
                    .log(
                            "the Service of publish-service cannot be watched, and is tried again; the rights to"
                                    + " get, list and watch it are needed");
        }
        return true;
    }

    /**
     * Where a load balancer gave none, what else reaches the Service, as ingress-nginx has it: the
     * external IPs, the name of an ExternalName, the cluster IPs. A load balancer that is still to
     * come has no address yet.
     */
    static List<LoadBalancerAddress> of(Service service) {
        ServiceSpec spec = service.getSpec() == null ? new ServiceSpec() : service.getSpec();
        List<LoadBalancerAddress> addresses = new ArrayList<>(balancer(service));
        spec.getExternalIPs().forEach(ip -> addresses.add(new LoadBalancerAddress.Ip(ip)));
        String type = Objects.requireNonNullElse(spec.getType(), "ClusterIP");
        if (addresses.isEmpty()) {
            switch (type) {
                case "LoadBalancer" -> {}
                case "ExternalName" ->
                        IngressStanding.addressOf(null, spec.getExternalName())
                                .ifPresent(addresses::add);
                default ->
                        spec.getClusterIPs().stream()
                                .filter(ip -> !ip.isEmpty() && !ip.equals("None"))
                                .forEach(ip -> addresses.add(new LoadBalancerAddress.Ip(ip)));
            }
        }
        return addresses.stream().distinct().toList();
    }

    private static List<LoadBalancerAddress> balancer(Service service) {
        List<LoadBalancerAddress> addresses = new ArrayList<>();
        if (service.getStatus() != null && service.getStatus().getLoadBalancer() != null) {
            for (LoadBalancerIngress entry : service.getStatus().getLoadBalancer().getIngress()) {
                IngressStanding.addressOf(entry.getIp(), entry.getHostname())
                        .ifPresent(addresses::add);
            }
        }
        return addresses;
    }

    private final class Handler implements ResourceEventHandler<Service> {
        private final Runnable changed;

        Handler(Runnable changed) {
            this.changed = changed;
        }

        @Override
        public void onAdd(Service service) {
            note(of(service));
        }

        @Override
        public void onUpdate(Service before, Service now) {
            note(of(now));
        }

        /** What was written stays: whoever deletes a Service may be about to make it anew. */
        @Override
        public void onDelete(Service service, boolean unknown) {
            missing();
        }

        @Override
        public void onList(String resourceVersion, boolean remainedEmpty) {
            failing = false;
            if (remainedEmpty) {
                missing();
            }
        }

        private void note(List<LoadBalancerAddress> now) {
            if (!now.equals(known)) {
                known = now;
                log.atInfo()
                        .addKeyValue("service", namespace + "/" + name)
                        .addKeyValue(
                                "addresses", now.stream().map(LoadBalancerAddress::text).toList())
                        .log("addresses for the status of Ingresses");
                changed.run();
            }
        }

        private void missing() {
            log.atWarn()
                    .addKeyValue("service", namespace + "/" + name)
                    .log(
                            "the Service of publish-service does not exist: the status of Ingresses stays as it is");
        }
    }
}
