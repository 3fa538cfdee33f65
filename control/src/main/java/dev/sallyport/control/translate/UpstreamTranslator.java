package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
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
import org.jspecify.annotations.Nullable;

/**
 * From a Service and its EndpointSlices to the endpoints of one of its ports. Pure and total.
 *
 * <p>Ready endpoints are used; where there is none, those that terminate but still serve, as
 * kube-proxy does. A port is found by its name in every slice by itself, since pods may give one
 * name to different numbers.
 */
final class UpstreamTranslator {
    private final boolean loopbackAllowed;

    UpstreamTranslator(TranslationSettings settings) {
        this.loopbackAllowed = settings.loopbackEndpoints();
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
        List<Endpoint> ready = new ArrayList<>();
        List<Endpoint> leaving = new ArrayList<>();
        String portName = ServiceTranslator.portName(service.service(), key.port());
        boolean portSeen = false;
        for (Resource.OfEndpointSlice slice : slices) {
            portSeen |= collect(slice, portName, ready, leaving, findings);
        }
        List<Endpoint> usable = ready.isEmpty() ? leaving : ready;
        if (usable.isEmpty()) {
            findings.add(withoutEndpoints(key, service, slices, portName, portSeen));
        }
        return new Result(new Upstream(key, usable), List.copyOf(findings));
    }

    private List<Endpoint> external(
            UpstreamKey key, Resource.OfService service, List<Finding> findings) {
        String written = service.service().getSpec().getExternalName().strip();
        int port = ServiceTranslator.externalPort(service.service(), key.port());
        InetAddress address = EndpointAddress.literal(written);
        if (address != null) {
            return EndpointAddress.forbidden(address, loopbackAllowed)
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
        if (!loopbackAllowed && (name.equals("localhost") || name.endsWith(".localhost"))) {
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

    /** Adds the slice's endpoints; returns whether it has the port. */
    private boolean collect(
            Resource.OfEndpointSlice resource,
            String portName,
            List<Endpoint> ready,
            List<Endpoint> leaving,
            List<Finding> findings) {
        EndpointSlice slice = resource.slice();
        String type = slice.getAddressType();
        if (!"IPv4".equals(type) && !"IPv6".equals(type)) {
            findings.add(
                    new Finding(
                            Reason.ENDPOINT_FORBIDDEN,
                            resource.ref(),
                            resource.origin().at("addressType"),
                            "addressType: " + type + " (expected: IPv4 or IPv6)",
                            "Use IP addresses, or a Service of type ExternalName for a DNS name."));
            return false;
        }
        List<Integer> ports = ports(slice, portName);
        if (slice.getEndpoints() != null && !ports.isEmpty()) {
            for (int i = 0; i < slice.getEndpoints().size(); i++) {
                var endpoint = slice.getEndpoints().get(i);
                if (endpoint == null || endpoint.getAddresses() == null) {
                    continue;
                }
                List<Endpoint> group = groupOf(endpoint.getConditions(), ready, leaving);
                for (String address : endpoint.getAddresses()) {
                    if (address != null && allowed(resource, type, address, i, findings)) {
                        ports.forEach(port -> group.add(new Endpoint(address, port)));
                    }
                }
            }
        }
        return !ports.isEmpty();
    }

    /** "A nil value indicates an unknown state. ... consumers should interpret it as ready." */
    private static List<Endpoint> groupOf(
            @Nullable EndpointConditions conditions, List<Endpoint> ready, List<Endpoint> leaving) {
        if (conditions == null || !Boolean.FALSE.equals(conditions.getReady())) {
            return ready;
        }
        boolean serves =
                Boolean.TRUE.equals(conditions.getServing())
                        && Boolean.TRUE.equals(conditions.getTerminating());
        return serves ? leaving : new ArrayList<>();
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

    private boolean allowed(
            Resource.OfEndpointSlice resource,
            String type,
            String text,
            int index,
            List<Finding> findings) {
        String field = "endpoints[" + index + "]";
        InetAddress address = EndpointAddress.literal(text);
        if (address == null || (text.indexOf(':') < 0) != type.equals("IPv4")) {
            findings.add(
                    new Finding(
                            Reason.OBJECT_INVALID,
                            resource.ref(),
                            resource.origin().at(field),
                            field + ".addresses: " + text + " (expected: an " + type + " address)",
                            "Correct the address; it is left out."));
            return false;
        }
        Optional<String> why = EndpointAddress.forbidden(address, loopbackAllowed);
        why.ifPresent(reason ->
                findings.add(
                        new Finding(
                                Reason.ENDPOINT_FORBIDDEN,
                                resource.ref(),
                                resource.origin().at(field),
                                field + ".addresses: " + text + " is " + reason,
                                "Remove the address; no request is sent to it.")));
        return why.isEmpty();
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
        return new Finding(
                Reason.SERVICE_WITHOUT_ENDPOINTS,
                service.ref(),
                service.origin().location(),
                "port " + key.port() + ": " + what,
                "Start what the Service selects, or add an EndpointSlice; until then requests are"
                        + " answered 503.");
    }
}
