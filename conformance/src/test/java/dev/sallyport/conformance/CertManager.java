package dev.sallyport.conformance;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import tools.jackson.databind.JsonNode;

/** cert-manager in one namespace: its objects as documents, and what became of them. */
final class CertManager {

    /**
     * How long an authority with challenges may take: cert-manager alone asks five times in ten
     * seconds.
     */
    static final Duration PATIENCE = Duration.ofMinutes(2);

    /** After which a request to renew was lost. */
    private static final Duration TAKEN_UP = Duration.ofSeconds(5);

    private final Api api;
    private final KeyMaterial material;

    /**
     * In the namespace of an API client.
     *
     * @param material remembers every key that is read
     */
    CertManager(Api api, KeyMaterial material) {
        this.api = api;
        this.material = material;
    }

    /** An Issuer of Pebble, the ACME server, whose challenges get Ingresses of a class. */
    static String acmeIssuer(String name, Acme acme, String ingressClass) {
        return acmeIssuerWith(name, acme, "ingressClassName: " + ingressClass);
    }

    /** An Issuer of Pebble whose solver says this of Ingresses, in YAML. */
    static String acmeIssuerWith(String name, Acme acme, String ingress) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: cert-manager.io/v1
                kind: Issuer
                metadata:
                  name: %1$s
                spec:
                  acme:
                    server: %2$s
                    caBundle: %3$s
                    privateKeySecretRef: {name: %1$s-account}
                    solvers: [{http01: {ingress: {%4$s}}}]
                """,
                name,
                acme.directory(),
                Base64.getEncoder().encodeToString(acme.authorityPem()),
                ingress);
    }

    /** An Issuer with an authority of its own, and the Secret that it is in. */
    static String caIssuer(String name, Leaf authority) {
        return Manifests.file(
                Manifests.secret(name, authority),
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: cert-manager.io/v1
                        kind: Issuer
                        metadata:
                          name: %1$s
                        spec: {ca: {secretName: %1$s}}
                        """,
                        name));
    }

    /**
     * A Certificate with a Secret of the same name, whose key is new at each renewal.
     *
     * @param more of the specification, in YAML's flow style: {@code dnsNames: [a.test]}
     * @param annotations what it is annotated with, each with the value true
     */
    static String certificate(String name, String issuer, String more, String... annotations) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: cert-manager.io/v1
                kind: Certificate
                metadata:
                  name: %1$s
                  annotations: {%4$s}
                spec: {secretName: %1$s, issuerRef: {name: %2$s}, %3$s}
                """,
                name,
                issuer,
                more,
                Stream.of(annotations)
                        .map(each -> each + ": \"true\"")
                        .collect(Collectors.joining(", ")));
    }

    /** Of a specification: an ECDSA key that is new at each renewal. */
    static final String ECDSA = "privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}";

    /** Of a specification: an RSA key that is new at each renewal. */
    static final String RSA = "privateKey: {algorithm: RSA, size: 2048, rotationPolicy: Always}";

    /** Waits until a Certificate is ready, and gives its Secret. */
    TlsSecret awaitReady(String name) {
        patient("Certificate " + name)
                .until(() ->
                        api.find(Api.Kind.CERTIFICATE, name)
                                .filter(CertManager::isReady)
                                .isPresent());
        return secret(name);
    }

    /** A Secret as it is. */
    TlsSecret secret(String name) {
        return TlsSecret.parse(api.get(Api.Kind.SECRET, name)).noteIn(material);
    }

    /** Waits until a Secret holds another certificate than this one. */
    TlsSecret awaitAnother(String name, TlsSecret than) {
        return patient("another certificate in Secret " + name)
                .until(
                        () -> api.find(Api.Kind.SECRET, name).map(TlsSecret::parse),
                        found ->
                                found.filter(each -> !each.serial().equals(than.serial()))
                                        .isPresent())
                .orElseThrow()
                .noteIn(material);
    }

    /**
     * A certificate that was seen to appear in a Secret.
     *
     * @param after when it was not there yet, at the last look
     */
    record Appearance(TlsSecret secret, Instant after) {}

    /**
     * Looks again and again until a Secret holds another certificate.
     *
     * @param before the serial in hexadecimal of the one it has; empty where there is none
     */
    Appearance awaitAppearance(String name, String before) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        Instant after = SettableClock.REAL.instant();
        while (System.nanoTime() < end) {
            Instant asked = SettableClock.REAL.instant();
            Optional<TlsSecret> found =
                    api.find(Api.Kind.SECRET, name)
                            .map(TlsSecret::parse)
                            .filter(each -> !each.serial().toString(16).equals(before));
            if (found.isPresent()) {
                return new Appearance(found.get().noteIn(material), after);
            }
            after = asked;
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
        throw new AssertionError("no certificate in Secret " + name + " but " + before);
    }

    /**
     * Asks for a new certificate at once, by the means of {@code cmctl renew}: again, where
     * cert-manager wrote its own status over the request before it had read it.
     */
    void renew(String certificate) {
        long revision = revision(certificate);
        patient("cert-manager to renew " + certificate)
                .until(() -> {
                    api.patchStatus(
                            Api.Kind.CERTIFICATE,
                            certificate,
                            """
                            {"status": {"conditions": [{"type": "Issuing", "status": "True", "reason": "ManuallyTriggered",
                              "message": "asked for by a test", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}
                            """);
                    return isTakenUp(certificate, revision);
                });
    }

    /** Whether cert-manager begins with a renewal, or has ended it, within some seconds. */
    private boolean isTakenUp(String certificate, long revision) {
        long end = System.nanoTime() + TAKEN_UP.toNanos();
        while (System.nanoTime() < end) {
            JsonNode now = api.get(Api.Kind.CERTIFICATE, certificate);
            if (now.at("/status").has("nextPrivateKeySecretName")
                    || now.at("/status/revision").asLong(0) > revision) {
                return true;
            }
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
        return false;
    }

    private long revision(String certificate) {
        return api.get(Api.Kind.CERTIFICATE, certificate).at("/status/revision").asLong(0);
    }

    /** Whether a Certificate is ready, and no issuance is under way. */
    static boolean isReady(JsonNode certificate) {
        return holds(certificate, "Ready") && !holds(certificate, "Issuing");
    }

    private static boolean holds(JsonNode certificate, String condition) {
        JsonNode conditions = certificate.at("/status/conditions");
        return conditions.isArray()
                && Json.items(conditions)
                        .anyMatch(each ->
                                each.path("type").asString().equals(condition)
                                        && each.path("status").asString().equals("True"));
    }

    private static ConditionFactory patient(String what) {
        return await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20 + ThreadLocalRandom.current().nextLong(20)));
    }
}
