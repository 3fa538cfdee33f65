package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** Kubernetes objects as YAML documents, all in namespace {@code default}. */
final class Manifests {

    /** The test bed's own name for it, or what a cluster that was given calls it. */
    static final String ECHO_IMAGE =
            System.getProperty("sallyport.image.echo", "localhost/echo:testbed");

    private static final String SEPARATOR = "---\n";

    private Manifests() {}

    /** Documents of one file. */
    static String file(String... documents) {
        return String.join(SEPARATOR, documents);
    }

    /** A Secret of type kubernetes.io/tls. */
    static String secret(String name, Leaf leaf) {
        return secret(name, leaf.chain(), leaf.key());
    }

    /** A Secret of type kubernetes.io/tls with any texts as its certificate and key. */
    static String secret(String name, String certificate, String key) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Secret
                metadata:
                  name: %s
                  namespace: default
                type: kubernetes.io/tls
                data:
                  tls.crt: %s
                  tls.key: %s
                """,
                name,
                base64(certificate),
                base64(key));
    }

    /** Base64 without line breaks, as Secrets want it. */
    static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(ISO_8859_1));
    }

    /** A ClusterIP Service with port 80, whose one endpoint is a backend of this test. */
    static String service(String name, Backend backend) {
        return file(
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: v1
                        kind: Service
                        metadata:
                          name: %s
                          namespace: default
                        spec:
                          clusterIP: 10.96.0.10
                          ports:
                            - name: http
                              port: 80
                              targetPort: %d
                        """,
                        name,
                        backend.port()),
                endpoints(name, "http", backend.port(), "127.0.0.1"));
    }

    /** An EndpointSlice; without addresses it has no endpoints. */
    static String endpoints(String service, String portName, int port, String... addresses) {
        var endpoints = new StringBuilder();
        for (String address : addresses) {
            endpoints
                    .append("  - addresses: [\"")
                    .append(address)
                    .append("\"]\n    conditions:\n      ready: true\n");
        }
        return String.format(
                Locale.ROOT,
                """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata:
                  name: %1$s-1
                  namespace: default
                  labels:
                    kubernetes.io/service-name: %1$s
                addressType: IPv4
                ports:
                  - name: %2$s
                    port: %3$d
                    protocol: TCP
                endpoints:%4$s
                """,
                service,
                portName,
                port,
                addresses.length == 0 ? " []" : "\n" + endpoints);
    }

    /** A Deployment of the echo image, and a Service whose port 80 is its Pods'. */
    static String echoPods(String name, int replicas) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  name: %1$s
                spec:
                  replicas: %2$d
                  selector:
                    matchLabels: {app: %1$s}
                  template:
                    metadata:
                      labels: {app: %1$s}
                    spec:
                      terminationGracePeriodSeconds: 30
                      containers:
                        - name: echo
                          image: %3$s
                          ports:
                            - {name: http, containerPort: 8080}
                          readinessProbe:
                            httpGet: {path: /readyz, port: http}
                            periodSeconds: 1
                            # Of a machine that is busy with tests nothing is to be concluded.
                            timeoutSeconds: 5
                            failureThreshold: 10
                ---
                apiVersion: v1
                kind: Service
                metadata:
                  name: %1$s
                spec:
                  selector: {app: %1$s}
                  ports:
                    - {name: http, port: 80, targetPort: http}
                """,
                name,
                replicas,
                ECHO_IMAGE);
    }

    /** An Ingress to be filled. */
    static Ingress ingress(String name) {
        return new Ingress(name);
    }

    /** An Ingress being written. Not safe for use by several threads. */
    static final class Ingress {
        private final String name;
        private final List<String> labels = new ArrayList<>();
        private final List<String> annotations = new ArrayList<>();
        private final List<String> tls = new ArrayList<>();
        private final List<String> rules = new ArrayList<>();
        private String created = "";
        private String top = "";

        private Ingress(String name) {
            this.name = name;
        }

        /** A tls section. */
        Ingress tls(String secret, String... hosts) {
            var section = new StringBuilder("    - secretName: ").append(secret).append('\n');
            if (hosts.length > 0) {
                section.append("      hosts:\n");
                for (String host : hosts) {
                    section.append("        - \"").append(host).append("\"\n");
                }
            }
            tls.add(section.toString());
            return this;
        }

        /** A rule whose path goes to the named port 80 of a Service. No host if it is empty. */
        Ingress route(String host, String path, String type, String service) {
            return route(host, path, type, service, "number: 80");
        }

        /**
         * A rule whose path goes to a port of a Service: {@code number: 80}, {@code name: http}.
         */
        Ingress route(String host, String path, String type, String service, String port) {
            rules.add(
                    (host.isEmpty()
                                    ? "    - http:\n"
                                    : "    - host: \"" + host + "\"\n      http:\n")
                            + String.format(
                                    Locale.ROOT,
                                    """
                                            paths:
                                              - path: %s
                                                pathType: %s
                                                backend:
                                                  service:
                                                    name: %s
                                                    port:
                                                      %s
                                    """,
                                    path,
                                    type,
                                    service,
                                    port));
            return this;
        }

        /** Everything of a host to a Service. */
        Ingress host(String host, String service) {
            return route(host, "/", "Prefix", service);
        }

        /** Where requests go that no rule matches. */
        Ingress defaultBackend(String service) {
            return spec(
                    String.format(
                            Locale.ROOT,
                            """
                              defaultBackend:
                                service:
                                  name: %s
                                  port:
                                    number: 80
                            """,
                            service));
        }

        /** More lines of the specification, indented by two. */
        Ingress spec(String lines) {
            top += lines;
            return this;
        }

        /** When it was created; only a folder's manifests say so themselves. */
        Ingress created(String timestamp) {
            created = "  creationTimestamp: \"" + timestamp + "\"\n";
            return this;
        }

        Ingress label(String key, String value) {
            labels.add("    " + key + ": \"" + value + "\"\n");
            return this;
        }

        Ingress annotation(String key, String value) {
            annotations.add("    " + key + ": \"" + value + "\"\n");
            return this;
        }

        /** The document. */
        String yaml() {
            return String.format(
                            Locale.ROOT,
                            """
                            apiVersion: networking.k8s.io/v1
                            kind: Ingress
                            metadata:
                              name: %s
                              namespace: default
                            """,
                            name)
                    + created
                    + section("  labels:\n", labels)
                    + section("  annotations:\n", annotations)
                    + "spec:\n"
                    + top
                    + section("  tls:\n", tls)
                    + section("  rules:\n", rules);
        }

        private static String section(String title, List<String> items) {
            return items.isEmpty() ? "" : title + String.join("", items);
        }
    }
}
