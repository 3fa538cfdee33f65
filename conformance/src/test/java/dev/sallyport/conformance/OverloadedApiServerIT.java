package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.faults.ApiProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An API server that forgot what watches are to go on from, and one that refuses whatever it is
 * asked, as overloaded ones do: a proxy before the real one answers in its place.
 */
@OnCluster(needs = Need.NODE)
final class OverloadedApiServerIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration HEALED = Duration.ofSeconds(15);

    /** In seconds. */
    private static final int REFUSED = 10;

    /** More than this in a second would keep an overloaded server from healing. */
    private static final int MOST_REQUESTS = 30;

    private static final String NAME = "shop";
    private static final String PUBLISHED = "192.0.2.8";
    private static final List<String> LISTED =
            List.of(
                    "ingressclasses",
                    "ingresses",
                    "services",
                    "endpointslices",
                    "secrets",
                    "namespaces");

    /** How all is refused. */
    enum Refusal {
        TOO_MANY_REQUESTS(429, "Too Many Requests", "Retry-After: 1\r\n"),
        INTERNAL_ERROR(500, "Internal Server Error", "");

        private final int status;
        private final String phrase;
        private final String fields;

        Refusal(int status, String phrase, String fields) {
            this.status = status;
            this.phrase = phrase;
            this.fields = fields;
        }

        /** From now on, of whoever is connected as well. */
        void begin(ApiProxy proxy) {
            proxy.answer(
                    _ -> true,
                    status + " " + phrase,
                    fields,
                    String.format(
                            Locale.ROOT,
                            """
                            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",\
                            "reason":"%s","message":"not now","code":%d}\
                            """,
                            phrase.replace(" ", ""),
                            status));
            proxy.cut();
        }
    }

    @TempDir private static Path work;
    private static Cluster cluster;
    private static Pki pki;
    private static Namespace namespace;
    private static GatewayAccount account;
    private static Api api;
    private static ApiProxy proxy;
    private static Gateway gateway;
    private static String host;

    @BeforeAll
    static void start(Cluster shared, Namespace own) {
        cluster = shared;
        namespace = own;
        pki = Pki.in(work);
        account = GatewayAccount.in(namespace, work);
        api = namespace.api(work);
        host = host(NAME);
        namespace.echo("echo", 2);
        Leaf leaf = rotate();
        namespace.apply(account.classed(ingress(NAME)).tls(NAME, host).host(host, "echo").yaml());
        proxy = account.proxy(cluster);
        gateway =
                account.gateway(cluster, work, pki, proxy)
                        .config(Load.ENDLESS)
                        .flags("--publish-address", PUBLISHED)
                        .start();
        gateway.awaitServed(host, leaf);
        gateway.awaitStatus(host, "/", 308);
        awaitPublished(NAME);
    }

    @AfterEach
    void mend() {
        proxy.pass();
    }

    @AfterAll
    static void stop() {
        try {
            gateway.close();
        } finally {
            proxy.close();
            account.close();
            api.close();
        }
    }

    @Test
    void whatHappenedBeforeAllWatchesAreToldThatTheyAreTooOldIsServed() throws Exception {
        create("deleted");
        create("kept");
        gateway.awaitStatus(host("deleted"), "/", 200);
        gateway.awaitStatus(host("kept"), "/", 200);
        Leaf served = rotate();
        gateway.awaitServed(host, served);
        try (Load load = load()) {
            proxy.silenceWatches();
            Leaf next = rotate();
            api.delete(Api.Kind.INGRESS, "deleted");
            create("created");
            assertThat(Handshakes.serial(gateway.httpsAddress(), host)).isEqualTo(served.serial());
            proxy.forget();
            long start = System.nanoTime();
            int ended = proxy.endWatches(ApiProxy.EXPIRED);
            gateway.awaitServed(host, next);
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            gateway.awaitStatus(host("created"), "/", 200);
            gateway.awaitStatus(host("deleted"), "/", 404);
            gateway.awaitStatus(host("kept"), "/", 200);
            soon().untilAsserted(() ->
                    assertThat(LISTED)
                            .as("listed anew")
                            .allMatch(kind ->
                                    proxy.requests().stream()
                                            .anyMatch(request -> request.lists(kind + "?"))));
            Leaf last = rotate();
            gateway.awaitServed(host, last);
            LOG.log(
                    System.Logger.Level.INFO,
                    "410 for all {0} watches: a change from before is served after {1}; {2}",
                    ended,
                    Times.millis(took),
                    load.assertNothingFailed(50));
            assertThat(ended).isGreaterThanOrEqualTo(LISTED.size());
            assertThat(took).isLessThan(HEALED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingFailsWhileEveryRequestIsRefused(Refusal refusal) throws Exception {
        Leaf served = rotate();
        gateway.awaitServed(host, served);
        try (Load load = load()) {
            long begun = System.nanoTime();
            proxy.forget();
            refusal.begin(proxy);
            Leaf next = rotate();
            String late = "late-" + refusal.status;
            createWithoutSecret(late);
            soon().until(() -> gateway.metrics().sum("sallyport_source_age_seconds") > REFUSED);
            List<ApiProxy.Request> refused = proxy.requests();
            long seconds =
                    Math.max(REFUSED, Duration.ofNanos(System.nanoTime() - begun).toSeconds());
            assertThat(Handshakes.serial(gateway.httpsAddress(), host)).isEqualTo(served.serial());
            assertThat(refused)
                    .as("watches and the Lease among them, and not too many")
                    .anyMatch(ApiProxy.Request::watch)
                    .anyMatch(request -> request.target().contains("/leases/"))
                    .hasSizeLessThan((int) (MOST_REQUESTS * seconds));

            long start = System.nanoTime();
            proxy.pass();
            gateway.awaitServed(host, next);
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            gateway.awaitNoFinding("ApiServerUnreachable");
            awaitPublished(late);
            soon().until(() -> namespace.hasEvent(late, "SecretMissing"));
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0} for {1} s, {2} requests: a change is served after {3}, a status and an Event are written after {4}; {5}",
                    refusal.status,
                    REFUSED,
                    refused.size(),
                    Times.millis(took),
                    Times.seconds(System.nanoTime() - start),
                    load.assertNothingFailed(10));
            assertThat(took).isLessThan(HEALED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStartThatIsRefusedIsNotReadyAndSaysWhatItWaitsFor(Refusal refusal, @TempDir Path own) {
        try (ApiProxy refusing = account.proxy(cluster)) {
            refusal.begin(refusing);
            try (Gateway starting = account.gateway(cluster, own, pki, refusing).launch()) {
                soon().until(() -> starting.err().contains("\"message\":\"waiting\""));
                soon().until(() -> starting.readyz() == 503);
                soon().untilAsserted(() ->
                        assertThat(starting.adminGet("/readyz").body())
                                .containsPattern("the list of .*\\((status )?" + refusal.status));
                assertThat(starting.adminGet("/livez").statusCode()).isEqualTo(200);
                long start = System.nanoTime();
                refusing.pass();
                soon().until(() -> starting.readyz() == 200);
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                LOG.log(
                        System.Logger.Level.INFO,
                        "started while all is answered with {0}: ready {1} after it is over",
                        refusal.status,
                        Times.millis(took));
                assertThat(RawClient.plain(starting.httpAddress()).get(host, "/").status())
                        .isEqualTo(308);
                assertThat(took).isLessThan(HEALED);
            }
        }
    }

    /** That the gateway is ready all the while is asked as one kind of it. */
    private static Load load() throws Exception {
        return Load.https(gateway.httpsAddress(), host, pki::clientContext)
                .run(
                        "readyz",
                        () -> {
                            assertThat(gateway.readyz()).isEqualTo(200);
                            return null;
                        });
    }

    private static Leaf rotate() {
        Leaf leaf = pki.ecdsa(host);
        api.apply(Api.Kind.SECRET, NAME, Manifests.secret(NAME, leaf));
        return leaf;
    }

    private static void create(String name) {
        api.create(
                Api.Kind.INGRESS, account.classed(ingress(name)).host(host(name), "echo").yaml());
    }

    private static void createWithoutSecret(String name) {
        api.create(
                Api.Kind.INGRESS,
                account.classed(ingress(name))
                        .tls("nowhere", host(name))
                        .host(host(name), "echo")
                        .yaml());
    }

    private static void awaitPublished(String name) {
        soon().until(() ->
                api.get(Api.Kind.INGRESS, name)
                        .at("/status/loadBalancer/ingress/0/ip")
                        .asString("")
                        .equals(PUBLISHED));
    }

    private static ConditionFactory soon() {
        return await().atMost(SOON).pollInterval(Duration.ofMillis(50));
    }

    private static String host(String name) {
        return name + "." + namespace.name() + ".test";
    }
}
