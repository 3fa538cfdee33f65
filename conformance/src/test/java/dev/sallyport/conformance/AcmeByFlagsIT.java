package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A process with a kubeconfig, the rights of docs/rbac.md and the flags of a quick start. */
@OnCluster(needs = {Need.PODS, Need.ACME})
final class AcmeByFlagsIT {

    private static final String OURS = "sallyport.dev/acme";
    private static final String ID = "sallyport.dev/acme-certificate";

    @TempDir private Path work;
    private Cluster cluster;
    private Namespace namespace;
    private GatewayAccount account;
    private Acme acme;
    private Pki pki;
    private X509Certificate root;

    @BeforeEach
    void start(Cluster shared, Namespace own) {
        cluster = shared;
        namespace = own;
        acme = Acme.of(cluster).orElseThrow();
        root = acme.root();
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        namespace.apply(
                """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: Role
                metadata: {name: acme}
                rules:
                  - {apiGroups: [""], resources: [secrets], verbs: [get, list, watch, create, update, delete]}
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: {name: acme}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: acme}
                subjects: [{kind: ServiceAccount, name: gateway}]
                """);
        namespace.echo("shop", 1);
    }

    @AfterEach
    void stop() {
        account.close();
    }

    private Gateway byFlags() {
        return account.gateway(cluster, work, pki)
                .ports(80, 443)
                .acme(acme.directory(), acme.authority())
                .start();
    }

    @Test
    void flagsAreAllItTakes() {
        try (Gateway gateway = byFlags()) {
            String host = host("flags");
            namespace.apply(site("flags", host).yaml());
            BigInteger serial = awaitTrusted(gateway, host);
            assertThat(stored(host)).contains(serial);
            assertThat(RawClient.plain(gateway.httpAddress()).get(host, "/").status())
                    .isEqualTo(308);
            awaitEvent("flags", "AcmeIssued");

            // As with cert-manager: who deletes the Secret has another one issued.
            namespace.kubectl().ok("delete", "secret", "--selector=" + OURS + "=certificate");
            BigInteger another =
                    soon("another certificate")
                            .until(
                                    () -> stored(host),
                                    it -> it.filter(serial::equals).isEmpty() && it.isPresent())
                            .orElseThrow();
            soon("it is served").until(() -> trusted(gateway, host).equals(another));
        }
    }

    /** No certificate but ours was ever there, so nothing else can be served meanwhile. */
    @Test
    void whatOnlyWeServedIsHandedToCertManagerWithoutAGap() throws Exception {
        try (Gateway gateway = byFlags()) {
            String host = host("handed");
            namespace.apply(
                    CertManager.acmeIssuer("pebble", acme, account.ingressClass()),
                    site("handed", host).yaml());
            BigInteger ours = awaitTrusted(gateway, host);
            try (Load load = Load.https(gateway.httpsAddress(), host, () -> Pki.trusting(root))) {
                namespace.apply(
                        site("handed", host)
                                .tls("handed-tls", host)
                                .annotation("cert-manager.io/issuer", "pebble")
                                .yaml());
                BigInteger theirs =
                        soon("cert-manager's certificate")
                                .atMost(CertManager.PATIENCE)
                                .ignoreExceptions()
                                .until(() -> trusted(gateway, host), it -> !it.equals(ours));
                assertThat(serial(namespace.get("secret/handed-tls"))).isEqualTo(theirs);
                load.assertNothingFailed(10);
            }
        }
    }

    /** Nobody looks for a Secret before something refers to it; and an Ingress may come first. */
    @Test
    void nothingIsOrderedForAHostThatASecretServes() {
        try (Gateway gateway = byFlags()) {
            String before = host("before");
            Leaf first = pki.ecdsa(before);
            namespace.apply(Manifests.secret("before", first));
            namespace.apply(site("before", before).tls("before", before).yaml());
            gateway.awaitServed(before, first);
            String after = host("after");
            Leaf second = pki.ecdsa(after);
            namespace.apply(
                    site("after", after).tls("after", after).yaml(),
                    Manifests.secret("after", second));
            gateway.awaitServed(after, second);
            namespace.apply(site("last", host("last")).yaml());
            awaitTrusted(gateway, host("last"));
            assertThat(stored(before)).isEmpty();
            assertThat(stored(after)).isEmpty();
            assertThat(gateway.metrics().sum("sallyport_acme_orders_total")).isEqualTo(1);
        }
    }

    @Test
    void onlyWhoAsksAndMayIsGivenOne() throws IOException {
        Path trusted = Files.copy(acme.authority(), work.resolve("acme-ca.crt"));
        try (Gateway gateway =
                account.gateway(cluster, work, pki)
                        .ports(80, 443)
                        .config(
                                String.format(
                                        Locale.ROOT,
                                        """
                                        acme:
                                          issuers:
                                            - {name: pebble, directory: "%1$s", agree-terms: true, ca-file: %2$s}
                                          hosts: annotated
                                          allow: ["%3$s=*.%3$s.test"]
                                        """,
                                        acme.directory(),
                                        trusted,
                                        namespace.name()))
                        .start()) {
            String foreign = "shop.another.test";
            namespace.apply(
                    site("silent", host("silent")).yaml(),
                    site("never", host("never")).annotation(OURS, "false").yaml(),
                    site("foreign", foreign).annotation(OURS, "pebble").yaml(),
                    site("named", host("named")).annotation(OURS, "pebble").yaml(),
                    site("listed", host("listed")).annotation(OURS, "true").yaml());
            awaitTrusted(gateway, host("named"));
            awaitTrusted(gateway, host("listed"));
            gateway.awaitFinding("HostNotAllowed", "\"foreign\"");
            assertThat(stored(host("silent"))).isEmpty();

            namespace.kubectl().ok("label", "namespace", namespace.name(), OURS + "=pebble");
            awaitTrusted(gateway, host("silent"));
            assertThat(stored(host("never"))).isEmpty();
            assertThat(stored(foreign)).isEmpty();
            assertThat(gateway.adminGet("/api/acme").body())
                    .contains(host("silent"))
                    .doesNotContain(host("never"), foreign);
        }
    }

    private Manifests.Ingress site(String name, String host) {
        return account.classed(ingress(name)).host(host, "shop");
    }

    private String host(String name) {
        return name + "." + namespace.name() + ".test";
    }

    private BigInteger awaitTrusted(Gateway gateway, String host) {
        return soon("a trusted certificate for " + host)
                .ignoreExceptions()
                .until(() -> trusted(gateway, host), _ -> true);
    }

    private BigInteger trusted(Gateway gateway, String host) throws IOException {
        SSLContext context = Pki.trusting(root); // a new one: it would resume, and see the old one
        try (SSLSocket socket = Handshakes.connect(context, gateway.httpsAddress(), host)) {
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSerialNumber();
        }
    }

    /** The serial number of what is stored for a host in a Secret of the gateway's. */
    private Optional<BigInteger> stored(String host) {
        return Json.items(namespace.get("secrets").path("items"))
                .filter(it -> text(it, "labels", OURS).equals("certificate"))
                .filter(it -> text(it, "annotations", ID).equals(host))
                .map(AcmeByFlagsIT::serial)
                .findFirst();
    }

    private static BigInteger serial(JsonNode secret) {
        byte[] chain = Base64.getDecoder().decode(secret.at("/data/tls.crt").stringValue());
        return TlsSecret.certificate(chain).getSerialNumber();
    }

    private static String text(JsonNode object, String map, String key) {
        return object.path("metadata").path(map).path(key).asString("");
    }

    private void awaitEvent(String name, String reason) {
        soon(reason + " about " + name).until(() -> namespace.hasEvent(name, reason));
    }

    private static ConditionFactory soon(String what) {
        return await(what).atMost(IssuingFolder.SOON).pollInterval(Duration.ofMillis(50));
    }
}
