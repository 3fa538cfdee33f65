package dev.sallyport.control.cluster;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** Objects of one host, as people write them. */
final class Site {
    private Site() {}

    /** An Ingress for {@code name.example.com}, its Service and an EndpointSlice. */
    static String of(String namespace, String name) {
        return ingress(namespace, name) + "---\n" + service(namespace, name);
    }

    static String ingress(String namespace, String name) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: "%2$s", namespace: "%1$s"}
                spec:
                  ingressClassName: sallyport
                  tls: [{hosts: ["%2$s.example.com"], secretName: "%2$s"}]
                  rules:
                    - host: "%2$s.example.com"
                      http:
                        paths: [{path: /, pathType: Prefix, backend: {service: {name: "%2$s", port: {number: 80}}}}]
                """,
                namespace,
                name);
    }

    static String service(String namespace, String name) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Service
                metadata: {name: "%2$s", namespace: "%1$s"}
                spec: {ports: [{port: 80, targetPort: 8080, name: http}]}
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: "%2$s-1", namespace: "%1$s", labels: {kubernetes.io/service-name: "%2$s"}}
                addressType: IPv4
                ports: [{name: http, port: 8080, protocol: TCP}]
                endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
                """,
                namespace,
                name);
    }

    /** A Secret with a new certificate for {@code name.example.com}. */
    static String secret(String namespace, String name, String type, long serial) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: "%s", namespace: "%s"}
                type: %s
                data: {tls.crt: %s, tls.key: %s}
                """,
                name,
                namespace,
                type,
                base64(certificate(name, serial).getCertificatePathPEM()),
                base64(certificate(name, serial).getPrivateKeyPEM()));
    }

    static String tlsSecret(String namespace, String name, long serial) {
        return secret(namespace, name, "kubernetes.io/tls", serial);
    }

    private static X509Bundle certificate(String name, long serial) {
        return CERTIFICATES.computeIfAbsent(
                name + " " + serial,
                _ -> {
                    try {
                        return new CertificateBuilder()
                                .ecp256()
                                .subject("CN=" + name)
                                .serial(BigInteger.valueOf(serial))
                                .addSanDnsName(name + ".example.com")
                                .setIsCertificateAuthority(true)
                                .buildSelfSigned();
                    } catch (Exception failed) {
                        throw new AssertionError(failed);
                    }
                });
    }

    private static final java.util.Map<String, X509Bundle> CERTIFICATES =
            new java.util.concurrent.ConcurrentHashMap<>();

    /** As findings and metrics write a serial number. */
    static String serial(long serial) {
        String hex = Long.toHexString(serial).toLowerCase(Locale.ROOT);
        return hex.length() % 2 == 0 ? hex : "0" + hex;
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
