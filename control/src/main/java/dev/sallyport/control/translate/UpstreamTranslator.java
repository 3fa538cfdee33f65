package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.upstream.AddressGuard;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * From a Service and its EndpointSlices to the endpoints of one of its ports. Pure and total.
 *
 * <p>Ready endpoints are used; where there is none, those that terminate but still serve, as
 * kube-proxy does; where there is none of these either, those of which it is in doubt whether they
 * are ready. A port is found by its name in every slice by itself, since pods may give one name to
 * different numbers.
 */
final class UpstreamTranslator {
    private final AddressGuard guard;

    UpstreamTranslator(TranslationSettings settings) {
        this.guard = settings.addresses();
    }

    /** An upstream and what is to be said of it. */
    record Result(Upstream upstream, List<Finding> findings) {}

    /** The endpoints behind a port of an existing Service. */
    Result translate(
            UpstreamKey key,
            Resource.OfService service,
            Collection<Resource.OfEndpointSlice> slices) {
        List<Finding> findings = new ArrayList<>();
        if (ServiceTranslator.isExternal(service.service())) {
            return new Result(
                    new Upstream(key, external(key, service, findings)), List.copyOf(findings));
        }
        String portName = ServiceTranslator.portName(service.service(), key.port());
        var collected = new Collected(portName, findings);
        slices.forEach(collected::add);
        Group used = collected.used();
        if (used.own) {
            // The others are our replicas then: requests would go back and forth between us.
            findings.add(leadsBack(key, service));
            return new Result(new Upstream(key, List.of()), List.copyOf(findings));
        }
        if (used.endpoints.isEmpty()) {
            findings.add(withoutEndpoints(key, service, slices, portName, collected.portSeen));
        } else if (used == collected.doubted) {
            findings.add(doubted(key, service));
        }
        return new Result(new Upstream(key, used.endpoints), List.copyOf(findings));
    }

    private List<Endpoint> external(
            UpstreamKey key, Resource.OfService service, List<Finding> findings) {
        String written = service.service().getSpec().getExternalName().strip();
        int port = ServiceTranslator.externalPort(service.service(), key.port());
        InetAddress address = AddressGuard.literal(written);
        if (address != null) {
            return guard.refusal(address, port)
                    .map(why -> forbidden(service, written, why, findings))
                    .orElseGet(() -> List.of(new Endpoint(written, port)));
        }
        String name;
        try {
            if (!(Hostname.parse(written) instanceof Hostname.Exact(String text))) {
                throw new IllegalArgumentException(
                        "host: " + written + " (expected: a DNS name without a wildcard)");
            }
            name = text;
        } catch (IllegalArgumentException notAName) {
            findings.add(
                    new Finding(
                            Reason.HOST_INVALID,
                            service.ref(),
                            service.origin().at("spec.externalName"),
                            String.valueOf(notAName.getMessage())
                                    .replaceFirst("^host: ", "spec.externalName: "),
                            "Write a DNS name; until then requests are answered 503."));
            return List.of();
        }
        if (!guard.loopback() && (name.equals("localhost") || name.endsWith(".localhost"))) {
            return forbidden(service, written, "a loopback address", findings);
        }
        // The trailing dot tells resolvers to leave their search list alone.
        return List.of(new Endpoint(written.endsWith(".") ? name + "." : name, port));
    }

    private static List<Endpoint> forbidden(
            Resource.OfService service, String name, String why, List<Finding> findings) {
        findings.add(
                new Finding(
                        Reason.ENDPOINT_FORBIDDEN,
                        service.ref(),
                        service.origin().at("spec.externalName"),
                        "spec.externalName: " + name + " is " + why,
                        "Name a host that requests may be sent to."));
        return List.of();
    }

    /** Endpoints in the same condition. */
    private static final class Group {
        final List<Endpoint> endpoints = new ArrayList<>();
        boolean own; // whether the gateway itself is one of them

        boolean isSomething() {
            return own || !endpoints.isEmpty();
        }
    }

    /** The endpoints of a Service's slices. */
    private final class Collected {
        private final String portName;
        private final List<Finding> findings;
        private final Group ready = new Group();
        private final Group leaving = new Group();
        private final Group doubted = new Group();
        private boolean portSeen;

        Collected(String portName, List<Finding> findings) {
            this.portName = portName;
            this.findings = findings;
        }

        Group used() {
            return Stream.of(ready, leaving).filter(Group::isSomething).findFirst().orElse(doubted);
        }

        void add(Resource.OfEndpointSlice resource) {
            EndpointSlice slice = resource.slice();
            String type = slice.getAddressType();
            if (!"IPv4".equals(type) && !"IPv6".equals(type)) {
                findings.add(
                        new Finding(
                                Reason.ENDPOINT_FORBIDDEN,
                                resource.ref(),
                                resource.origin().at("addressType"),
                                "addressType: " + type + " (expected: IPv4 or IPv6)",
                                "Use IP addresses, or a Service of type ExternalName for a DNS"
                                        + " name."));
                return;
            }
            List<Integer> ports = ports(slice, portName);
            portSeen |= !ports.isEmpty();
            if (slice.getEndpoints() == null || ports.isEmpty()) {
                return;
            }
            for (int i = 0; i < slice.getEndpoints().size(); i++) {
                var endpoint = slice.getEndpoints().get(i);
                if (endpoint == null || endpoint.getAddresses() == null) {
                    continue;
                }
                Group group = groupOf(endpoint);
                for (String address : endpoint.getAddresses()) {
                    if (address != null) {
                        boolean inDoubt = resource.doubted().contains(address);
                        add(resource, type, address, ports, i, inDoubt ? doubted : group);
                    }
                }
            }
        }

        private void add(
                Resource.OfEndpointSlice resource,
                String type,
                String text,
                List<Integer> ports,
                int index,
                Group group) {
            String field = "endpoints[" + index + "]";
            InetAddress address = AddressGuard.literal(text);
            if (address == null || (text.indexOf(':') < 0) != type.equals("IPv4")) {
                findings.add(
                        new Finding(
                                Reason.OBJECT_INVALID,
                                resource.ref(),
                                resource.origin().at(field),
                                field
                                        + ".addresses: "
                                        + text
                                        + " (expected: an "
                                        + type
                                        + " address)",
                                "Correct the address; it is left out."));
                return;
            }
            for (int port : ports) {
                Optional<String> why = guard.refusal(address, port);
                if (why.isEmpty()) {
                    group.endpoints.add(new Endpoint(text, port));
                    continue;
                }
                group.own |= guard.isOwn(address, port);
                findings.add(
                        new Finding(
                                Reason.ENDPOINT_FORBIDDEN,
                                resource.ref(),
                                resource.origin().at(field),
                                field + ".addresses: " + text + " is " + why.get(),
                                "Remove the address; no request is sent to it."));
            }
        }

        private Group groupOf(io.fabric8.kubernetes.api.model.discovery.v1.Endpoint endpoint) {
            if (Resource.OfEndpointSlice.isReady(endpoint)) {
                return ready;
            }
            EndpointConditions conditions = endpoint.getConditions();
            boolean serves =
                    Boolean.TRUE.equals(conditions.getServing())
                            && Boolean.TRUE.equals(conditions.getTerminating());
            return serves ? leaving : new Group();
        }
    }

    private static List<Integer> ports(EndpointSlice slice, String name) {
        List<Integer> numbers = new ArrayList<>();
        if (slice.getPorts() != null) {
            for (EndpointPort port : slice.getPorts()) {
                if (port != null
                        && port.getPort() != null
                        && port.getPort() >= 1
                        && port.getPort() <= 65535
                        && (port.getProtocol() == null || port.getProtocol().equals("TCP"))
                        && name.equals(port.getName() == null ? "" : port.getName())) {
                    numbers.add(port.getPort());
                }
            }
        }
        return numbers;
    }

    private static Finding leadsBack(UpstreamKey key, Resource.OfService service) {
        return new Finding(
                Reason.ENDPOINT_FORBIDDEN,
                service.ref(),
                service.origin().location(),
                "port " + key.port() + ": leads back to the gateway",
                "Name another Service in the Ingress; until then requests are answered 503.");
    }

    private static Finding doubted(UpstreamKey key, Resource.OfService service) {
        return new Finding(
                Reason.READINESS_IN_DOUBT,
                service.ref(),
                service.origin().location(),
                "port "
                        + key.port()
                        + ": no endpoint is ready any more since the API server was away; those"
                        + " that were are used on",
                "Look at the Pods and their nodes. If they are down indeed, they are left out once"
                        + " five times kubernetes.hold-back is over.");
    }

    private static Finding withoutEndpoints(
            UpstreamKey key,
            Resource.OfService service,
            Collection<Resource.OfEndpointSlice> slices,
            String portName,
            boolean portSeen) {
        String what;
        if (slices.isEmpty()) {
            what =
                    "there is no EndpointSlice with the label kubernetes.io/service-name: "
                            + key.service();
        } else if (!portSeen) {
            what =
                    portName.isEmpty()
                            ? "no EndpointSlice has a TCP port without a name, as the Service's is"
                            : "no EndpointSlice has a TCP port named " + portName;
        } else {
            what = "no endpoint is ready";
        }
        if (CertManagerObjects.isSolver(service.service())) {
            return new Finding(
                    Reason.SOLVER_NOT_READY,
                    service.ref(),
                    service.origin().location(),
                    "port " + key.port() + ": " + what + "; the challenge is answered 503",
                    "Wait for the solver's pod to start.");
        }
        return new Finding(
                Reason.SERVICE_WITHOUT_ENDPOINTS,
                service.ref(),
                service.origin().location(),
                "port " + key.port() + ": " + what,
                "Start what the Service selects, or add an EndpointSlice; until then requests are"
                        + " answered 503.");
    }
}
