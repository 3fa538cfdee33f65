package dev.sallyport.control.stored;

import dev.sallyport.control.Placeholders;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClassBuilder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Objects and states for tests. */
final class States {
    static final Instant AS_OF = Instant.parse("2026-06-01T12:00:00Z");

    /** Few, since making and proving one takes a millisecond. */
    private static final List<CertificateBundle> ANY =
            List.of(certificate("a", "01").bundle(), certificate("b", "02").bundle());

    private States() {}

    /** A key that is a function of its number. */
    static StoreKey key(int number) {
        byte[] bytes = new byte[StoreKey.BYTES];
        new Random(number).nextBytes(bytes);
        try {
            return StoreKey.parse(bytes);
        } catch (StoreKey.Unusable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Hosts with an Ingress, a Service, a slice and a certificate each, and one class. */
    static StoredState state(int hosts) {
        List<Resource> objects = new ArrayList<>();
        List<StoredCertificate> certificates = new ArrayList<>();
        objects.add(ingressClass());
        objects.add(parameters("301"));
        for (int i = 0; i < hosts; i++) {
            objects.addAll(host("host-" + i));
            certificates.add(
                    new StoredCertificate(
                            new ObjectRef("Secret", "default", "host-" + i),
                            new ObjectVersion("uid-" + i, "1" + i),
                            "digest of " + i,
                            ANY.get(i % ANY.size())));
        }
        return new StoredState(AS_OF, objects, certificates);
    }

    /** An Ingress with its Service and slice, all of one name. */
    static List<Resource> host(String name) {
        return List.of(ingress(name), service(name), slice(name));
    }

    /** The class {@code sallyport}. */
    static Resource ingressClass() {
        return new Resource.OfIngressClass(
                new ObjectRef("IngressClass", "", "sallyport"),
                new IngressClassBuilder()
                        .withNewMetadata()
                        .withName("sallyport")
                        .endMetadata()
                        .withNewSpec()
                        .withController("sallyport.dev/ingress-controller")
                        .endSpec()
                        .build(),
                Origin.API_SERVER);
    }

    /** The same class, which names {@link #parameters}. */
    static Resource ingressClassWithParameters() {
        var plain = (Resource.OfIngressClass) ingressClass();
        return new Resource.OfIngressClass(
                plain.ref(),
                plain.ingressClass()
                        .edit()
                        .editSpec()
                        .withNewParameters()
                        .withKind("ConfigMap")
                        .withScope("Namespace")
                        .withNamespace("edge")
                        .withName("tuning")
                        .endParameters()
                        .endSpec()
                        .build(),
                Origin.API_SERVER);
    }

    /** The status of redirects. */
    static Resource parameters(String status) {
        return Resource.OfConfigMap.of(
                new ObjectRef("ConfigMap", "edge", "tuning"),
                new ConfigMapBuilder()
                        .withNewMetadata()
                        .withUid("uid-tuning")
                        .withResourceVersion("7")
                        .endMetadata()
                        .addToData("redirect.status", status)
                        .build(),
                Origin.API_SERVER);
    }

    /** For {@code NAME.example.com}, by the Service and with the Secret of that name. */
    static Resource ingress(String name) {
        return ingress(name, "sallyport");
    }

    /** The same of another class. */
    static Resource ingress(String name, String className) {
        String host = name + ".example.com";
        return new Resource.OfIngress(
                new ObjectRef("Ingress", "default", name),
                new IngressBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace("default")
                        .withUid("uid-" + name)
                        .addToAnnotations("note", "line one\nline two — Zürich \u2028")
                        .endMetadata()
                        .withNewSpec()
                        .withIngressClassName(className)
                        .addNewTl()
                        .withHosts(host)
                        .withSecretName(name)
                        .endTl()
                        .addNewRule()
                        .withHost(host)
                        .withNewHttp()
                        .addNewPath()
                        .withPath("/")
                        .withPathType("Prefix")
                        .withNewBackend()
                        .withNewService()
                        .withName(name)
                        .withNewPort()
                        .withNumber(80)
                        .endPort()
                        .endService()
                        .endBackend()
                        .endPath()
                        .endHttp()
                        .endRule()
                        .endSpec()
                        .build(),
                Origin.API_SERVER);
    }

    /** On port 80. */
    static Resource service(String name) {
        return new Resource.OfService(
                new ObjectRef("Service", "default", name),
                new ServiceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace("default")
                        .endMetadata()
                        .withNewSpec()
                        .addNewPort()
                        .withName("web")
                        .withPort(80)
                        .withNewTargetPort(8080)
                        .endPort()
                        .endSpec()
                        .build(),
                Origin.API_SERVER);
    }

    /** One endpoint. */
    static Resource slice(String name) {
        return new Resource.OfEndpointSlice(
                new ObjectRef("EndpointSlice", "default", name + "-1"),
                new EndpointSliceBuilder()
                        .withNewMetadata()
                        .withName(name + "-1")
                        .withNamespace("default")
                        .addToLabels("kubernetes.io/service-name", name)
                        .endMetadata()
                        .withAddressType("IPv4")
                        .addNewPort()
                        .withName("web")
                        .withPort(8080)
                        .endPort()
                        .addNewEndpoint()
                        .withAddresses("10.1.2.3")
                        .withNewConditions()
                        .withReady(true)
                        .endConditions()
                        .endEndpoint()
                        .build(),
                Origin.API_SERVER);
    }

    /** In the Secret {@code name}, for {@code NAME.example.com}. */
    static StoredCertificate certificate(String name, String serial) {
        return new StoredCertificate(
                new ObjectRef("Secret", "default", name),
                new ObjectVersion("uid-" + name, "1" + serial),
                "digest of " + serial,
                Placeholders.bundle(
                        "ecdsa",
                        serial,
                        List.of(name + ".example.com"),
                        "2020-01-01",
                        "2040-01-01"));
    }
}
