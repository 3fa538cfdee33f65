package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.upstream.UpstreamKey;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** From a Service and the port that a backend names to an upstream. Pure and total. */
final class ServiceTranslator {
    private final boolean externalNames;

    ServiceTranslator(TranslationSettings settings) {
        this.externalNames = settings.externalNames();
    }

    /** What a backend came to. */
    sealed interface Resolution {
        /** An upstream, perhaps without endpoints. */
        record Found(UpstreamKey upstream) implements Resolution {}

        /** Nothing; requests are answered 503. */
        record Problem(Reason reason, String message, String advice) implements Resolution {}
    }

    /** Finds the port of a Service, if there is that Service. */
    Resolution resolve(BackendReference backend, Resource.@Nullable OfService found) {
        if (found == null) {
            return new Resolution.Problem(
                    Reason.SERVICE_MISSING,
                    "Service " + backend.namespace() + "/" + backend.service() + " does not exist",
                    "Create the Service, or correct its name; until then requests are answered"
                            + " 503.");
        }
        ServiceSpec spec = found.service().getSpec();
        if (spec == null) {
            return new Resolution.Problem(
                    Reason.SERVICE_UNSUPPORTED,
                    "Service " + backend.namespace() + "/" + backend.service() + " has no spec",
                    "Add spec.ports to the Service; until then requests are answered 503.");
        }
        if (isExternal(found.service())) {
            Optional<Resolution> unusable = refuseExternal(backend, spec);
            if (unusable.isPresent()) {
                return unusable.get();
            }
        }
        return port(backend.port(), found.service())
                .<Resolution>map(number ->
                        new Resolution.Found(
                                new UpstreamKey(backend.namespace(), backend.service(), number)))
                .orElseGet(() -> portMissing(backend, spec));
    }

    /** Whether the Service stands for a DNS name elsewhere. */
    static boolean isExternal(Service service) {
        return service.getSpec() != null && "ExternalName".equals(service.getSpec().getType());
    }

    /** The name that a Service gives to its port {@code number}; empty where it gives none. */
    static String portName(Service service, int number) {
        return tcpPorts(service.getSpec()).stream()
                .filter(port -> port.getPort() == number)
                .map(ServicePort::getName)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("");
    }

    /**
     * The port of the host that an ExternalName Service stands for: {@code targetPort} where that
     * is a number, else the Service's own. (A name is a container's, and there is none.)
     */
    static int externalPort(Service service, int number) {
        return tcpPorts(service.getSpec()).stream()
                .filter(port -> port.getPort() == number)
                .map(ServicePort::getTargetPort)
                .filter(Objects::nonNull)
                .map(IntOrString::getIntVal)
                .filter(Objects::nonNull)
                .filter(target -> target >= 1 && target <= 65535)
                .findFirst()
                .orElse(number);
    }

    private Optional<Resolution> refuseExternal(BackendReference backend, ServiceSpec spec) {
        String where = "Service " + backend.namespace() + "/" + backend.service();
        if (!externalNames) {
            return Optional.of(
                    new Resolution.Problem(
                            Reason.SERVICE_UNSUPPORTED,
                            where + " is of type ExternalName, which is switched off",
                            "Use a Service with endpoints, or have the operator switch ExternalName"
                                    + " on."));
        }
        if (spec.getExternalName() == null || spec.getExternalName().isBlank()) {
            return Optional.of(
                    new Resolution.Problem(
                            Reason.SERVICE_UNSUPPORTED,
                            where + " is of type ExternalName without spec.externalName",
                            "Write the DNS name under spec.externalName."));
        }
        return Optional.empty();
    }

    private static Optional<Integer> port(PortReference wanted, Service service) {
        List<ServicePort> ports = tcpPorts(service.getSpec());
        return switch (wanted) {
            case PortReference.ByNumber(int number) ->
                    ports.stream().anyMatch(port -> port.getPort() == number)
                                    || (ports.isEmpty() && isExternal(service))
                            ? Optional.of(number)
                            : Optional.empty();
            case PortReference.ByName(String name) ->
                    ports.stream()
                            .filter(port -> name.equals(port.getName()))
                            .map(ServicePort::getPort)
                            .findFirst();
        };
    }

    private static Resolution portMissing(BackendReference backend, ServiceSpec spec) {
        String known =
                tcpPorts(spec).stream()
                        .map(port ->
                                port.getName() == null
                                        ? port.getPort().toString()
                                        : port.getName() + " (" + port.getPort() + ")")
                        .collect(Collectors.joining(", "));
        return new Resolution.Problem(
                Reason.SERVICE_PORT_MISSING,
                "Service "
                        + backend.namespace()
                        + "/"
                        + backend.service()
                        + " has no TCP port "
                        + backend.port()
                        + " (expected: "
                        + (known.isEmpty() ? "a Service with ports" : known)
                        + ")",
                "Name a port that the Service has; until then requests are answered 503.");
    }

    /** The ports that HTTP can be spoken to; absent means TCP. */
    private static List<ServicePort> tcpPorts(@Nullable ServiceSpec spec) {
        if (spec == null || spec.getPorts() == null) {
            return List.of();
        }
        return spec.getPorts().stream()
                .filter(Objects::nonNull)
                .filter(port -> port.getPort() != null)
                .filter(port -> port.getPort() >= 1 && port.getPort() <= 65535)
                .filter(port -> port.getProtocol() == null || port.getProtocol().equals("TCP"))
                .toList();
    }
}
