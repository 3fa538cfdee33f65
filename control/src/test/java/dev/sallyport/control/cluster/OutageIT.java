package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.faults.ApiProxy;
import dev.sallyport.faults.ApiProxy.Request;
import dev.sallyport.model.finding.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What networks and API servers do in bad hours, to a real one. */
@Tag("cluster")
class OutageIT {
    private static final Duration SECONDS = Duration.ofSeconds(8);
    private static final ClusterSettings SETTINGS = holdingBack(Duration.ofSeconds(3));

    /** Long enough to look at what is served meanwhile. */
    private static final ClusterSettings HOLDING_BACK = holdingBack(Duration.ofSeconds(6));

    @TempDir private static Path folder;
    private static ApiServer api;
    private static long serial = 100;

    private ApiProxy proxy;

    @BeforeAll
    static void start() {
        api = ApiServer.in(folder.resolve("api"));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @BeforeEach
    void site() {
        proxy = api.proxy();
        api.apply(Site.of("default", "a"));
        api.apply(Site.of("default", "b"));
        api.apply(Site.tlsSecret("default", "b", 1));
        api.apply(Site.tlsSecret("default", "a", ++serial));
    }

    @AfterEach
    void closeProxy() {
        proxy.close();
    }

    private static ClusterSettings holdingBack(Duration time) {
        return new ClusterSettings(List.of(), SecretAccess.BY_TYPE, time);
    }

    private ServedCluster serve() throws Exception {
        return serve(SETTINGS);
    }

    private ServedCluster serve(ClusterSettings settings) throws Exception {
        ServedCluster served = ServedCluster.start(api.adminThrough(proxy.port()), settings);
        served.awaitSerial("a.example.com", Site.serial(serial));
        return served;
    }

    private static void rotate() {
        api.apply(Site.tlsSecret("default", "a", ++serial));
    }

    @Test
    void connectionsThatDieWithoutAWordHealInSeconds() throws Exception {
        try (ServedCluster served = serve()) {
            proxy.silence();
            rotate();
            // Within 20 s: they are given up after 9 to 12.
            served.awaitSerial("a.example.com", Site.serial(serial));
            assertThat(proxy.requests()).as("no relist").filteredOn(Request::lists).hasSize(6);
        }
    }

    @Test
    void theAgeIsSmallWhileWatchesLiveAndGrowsWhileNobodyAnswers() throws Exception {
        try (ServedCluster served = serve()) {
            await().pollDelay(Duration.ofSeconds(5))
                    .until(() -> age(served).compareTo(Duration.ofSeconds(5)) < 0);
            api.kill();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> age(served).compareTo(Duration.ofSeconds(8)) > 0);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> !served.findings(Reason.API_SERVER_UNREACHABLE).isEmpty());
            assertThat(served.serial("a.example.com")).isEqualTo(Site.serial(serial));
            api.start();
            await().atMost(SECONDS).until(() -> age(served).compareTo(Duration.ofSeconds(5)) < 0);
            await().until(() -> served.findings(Reason.API_SERVER_UNREACHABLE).isEmpty());
        }
    }

    private static Duration age(ServedCluster served) {
        return served.control().sinceLastLook().orElseThrow();
    }

    @Test
    void anApiServerThatComesBackWithoutItsHistoryIsListedOnceAndChangesNothing() throws Exception {
        try (ServedCluster served = serve()) {
            long published = served.control().state().published();
            api.kill();
            api.compact();
            proxy.forget();
            api.start();
            await().atMost(SECONDS).until(() -> lists().size() == 6);
            rotate();
            served.awaitSerial("a.example.com", Site.serial(serial));
            assertThat(served.control().state().published())
                    .as("the relist published nothing, the rotation did")
                    .isEqualTo(published + 1);
            assertThat(lists()).allSatisfy((_, count) -> assertThat(count).isEqualTo(1));
        }
    }

    @Test
    void watchesThatAreAllTooOldAtOnceAreListedOnceEachAndNotAllAtOnce() throws Exception {
        try (ServedCluster served = serve()) {
            long published = served.control().state().published();
            proxy.forget();
            proxy.say("", ApiProxy.EXPIRED);
            await().atMost(SECONDS).until(() -> lists().size() == 6);
            rotate();
            served.awaitSerial("a.example.com", Site.serial(serial));
            assertThat(served.control().state().published()).isEqualTo(published + 1);
            assertThat(lists()).allSatisfy((_, count) -> assertThat(count).isEqualTo(1));
            LongSummaryStatistics times =
                    proxy.requests().stream()
                            .filter(Request::lists)
                            .mapToLong(Request::at)
                            .summaryStatistics();
            assertThat(Duration.ofNanos(times.getMax() - times.getMin()))
                    .as("spread at random over half a second")
                    .isBetween(Duration.ofMillis(20), SECONDS);
        }
    }

    @Test
    void aBookmarkMovesWhereAWatchGoesOn() throws Exception {
        try (ServedCluster served = serve()) {
            String version = version();
            proxy.say(
                    "ingressclasses",
                    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"IngressClass\",\"apiVersion\":"
                            + "\"networking.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"%s\"}}}"
                                    .replace("%s", version));
            // The client takes the end of a watch that was opened just now for a 410.
            await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
            proxy.forget();
            proxy.cut();
            rotate();
            served.awaitSerial("a.example.com", Site.serial(serial));
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(proxy.requests())
                                    .anySatisfy(request ->
                                            assertThat(request.target())
                                                    .contains(
                                                            "/ingressclasses?",
                                                            "allowWatchBookmarks=true",
                                                            "resourceVersion=" + version)));
            assertThat(lists()).as("nothing is listed again").isEmpty();
        }
    }

    @Test
    void aSecretThatIsWatchedByItselfOutlivesARestartUnchanged() throws Exception {
        api.apply(Site.of("default", "opaque"));
        api.apply(Site.secret("default", "opaque", "Opaque", 1));
        try (ServedCluster served = serve()) {
            served.awaitSerial("opaque.example.com", Site.serial(1));
            long published = served.control().state().published();
            proxy.forget();
            api.kill();
            api.start();
            await().atMost(SECONDS)
                    .until(() -> lists().containsKey("/api/v1/namespaces/default/secrets"));
            rotate();
            served.awaitSerial("a.example.com", Site.serial(serial));
            assertThat(served.control().state().published()).isEqualTo(published + 1);
            assertThat(served.findings(Reason.SECRET_DELETED)).isEmpty();
            api.apply(Site.secret("default", "opaque", "Opaque", 2));
            served.awaitSerial("opaque.example.com", Site.serial(2));
        } finally {
            api.client()
                    .network()
                    .v1()
                    .ingresses()
                    .inNamespace("default")
                    .withName("opaque")
                    .delete();
        }
    }

    private Map<String, Long> lists() {
        return proxy.requests().stream()
                .filter(Request::lists)
                .collect(
                        Collectors.groupingBy(
                                request -> request.target().replaceFirst("\\?.*", ""),
                                Collectors.counting()));
    }

    @Test
    void errorsInPlaceOfListsAreWaitedOutAtTheStart() throws Exception {
        proxy.answer(request -> request.lists("ingresses"), "500 Internal Server Error", "", "{}");
        proxy.answer(
                request -> request.lists("services"),
                "429 Too Many Requests",
                "Retry-After: 1\r\n",
                "{}");
        try (ServedCluster served = ServedCluster.begin(api.adminThrough(proxy.port()), SETTINGS)) {
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.control().waitingFor().orElse(""))
                                    .contains("the list of ingresses", "500")
                                    .contains("the list of services", "429"));
            assertThat(served.control().firstApplied()).isNotDone();
            proxy.pass();
            served.awaitFirst();
            assertThat(served.serial("a.example.com")).isEqualTo(Site.serial(serial));
        }
    }

    @Test
    void errorsInPlaceOfWatchesAreWaitedOut() throws Exception {
        try (ServedCluster served = serve()) {
            proxy.answer(Request::watch, "500 Internal Server Error", "", "{}");
            proxy.cut();
            proxy.forget();
            rotate();
            await().pollDelay(Duration.ofSeconds(3))
                    .atMost(SECONDS)
                    .until(() -> proxy.requests().size() > 10);
            assertThat(proxy.requests()).as("requests in some three seconds").hasSizeLessThan(200);
            proxy.pass();
            served.awaitSerial("a.example.com", Site.serial(serial));
        }
    }

    @Test
    void anApiServerThatIsAwayAtTheStartIsWaitedFor() throws Exception {
        api.kill();
        try (ServedCluster served = ServedCluster.begin(api.admin(), SETTINGS)) {
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.control().waitingFor().orElse(""))
                                    .contains("the list of ingresses in all namespaces (Connect"));
            assertThat(served.control().firstApplied()).isNotDone();
            assertThat(served.control().sinceLastLook()).isEmpty();
            api.start();
            served.awaitFirst();
            assertThat(served.routes("a.example.com")).isTrue();
        }
    }

    @Test
    void anEmptyListAfterAGapIsNotObeyedAndOutlivedByTheObjects() throws Exception {
        try (ServedCluster served = serve(HOLDING_BACK)) {
            proxy.answer(
                    request -> request.lists("ingresses"),
                    "200 OK",
                    "",
                    "{\"kind\":\"IngressList\",\"apiVersion\":\"networking.k8s.io/v1\",\"metadata\":"
                            + "{\"resourceVersion\":\""
                            + version()
                            + "\"},\"items\":[]}");
            api.kill();
            api.start();
            await().atMost(SECONDS)
                    .untilAsserted(() ->
                            assertThat(served.findings(Reason.LIST_HELD_BACK))
                                    .singleElement()
                                    .satisfies(finding ->
                                            assertThat(finding.message())
                                                    .contains("ingresses in all namespaces")));
            assertThat(served.control().heldBack()).isPositive();
            assertThat(served.routes("a.example.com")).isTrue();
            proxy.pass();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> served.findings(Reason.LIST_HELD_BACK).isEmpty());
            assertThat(served.control().heldBack()).isZero();
            assertThat(served.routes("a.example.com")).isTrue();
            // What the empty list hid is followed again.
            api.client().network().v1().ingresses().inNamespace("default").withName("b").delete();
            await().atMost(SECONDS).until(() -> !served.routes("b.example.com"));
        }
    }

    private static String version() {
        return api.client()
                .network()
                .v1()
                .ingresses()
                .inNamespace("default")
                .list()
                .getMetadata()
                .getResourceVersion();
    }

    @Test
    void whatWasReallyDeletedInAGapGoesOnceASecondListAgrees() throws Exception {
        try (ServedCluster served = serve(HOLDING_BACK)) {
            // The watch is kept away while everything is deleted.
            proxy.answer(Request::watch, "500 Internal Server Error", "", "{}");
            proxy.cut();
            api.client().network().v1().ingresses().inNamespace("default").delete();
            api.kill();
            api.start();
            proxy.pass();
            await().atMost(Duration.ofSeconds(15))
                    .until(() -> !served.findings(Reason.LIST_HELD_BACK).isEmpty());
            assertThat(served.routes("a.example.com")).isTrue();
            await().atMost(Duration.ofSeconds(20)).until(() -> !served.routes("a.example.com"));
            await().until(() -> served.findings(Reason.LIST_HELD_BACK).isEmpty());
        }
    }

    /** There may be no right to list all of them. */
    @Test
    void aNamespaceThatIsWatchedByNameIsNeverAskedForWithoutIt() throws Exception {
        ClusterSettings settings =
                new ClusterSettings(
                        List.of("default"), SecretAccess.BY_TYPE, Duration.ofSeconds(3));
        try (ServedCluster served = ServedCluster.start(api.adminThrough(proxy.port()), settings)) {
            served.awaitSerial("a.example.com", Site.serial(serial));
            proxy.answer(
                    request -> request.lists("namespaces?"),
                    "200 OK",
                    "",
                    "{\"kind\":\"NamespaceList\",\"apiVersion\":\"v1\",\"metadata\":"
                            + "{\"resourceVersion\":\""
                            + version()
                            + "\"},\"items\":[]}");
            api.kill();
            api.start();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> !served.findings(Reason.NAMESPACE_MISSING).isEmpty());
            assertThat(served.findings(Reason.LIST_HELD_BACK)).isEmpty();
            assertThat(proxy.requests())
                    .filteredOn(request -> request.target().contains("/namespaces?"))
                    .hasSizeGreaterThanOrEqualTo(3) // lists, and the second list
                    .allMatch(request ->
                            request.target().contains("fieldSelector=metadata.name%3Ddefault")
                                    || request.target()
                                            .contains("fieldSelector=metadata.name=default"));
        }
    }

    @Test
    void whatIsDeletedBeforeOurEyesGoesAtOnce() throws Exception {
        try (ServedCluster served = serve(HOLDING_BACK)) {
            api.client().network().v1().ingresses().inNamespace("default").delete();
            await().atMost(Duration.ofSeconds(5)).until(() -> !served.routes("a.example.com"));
            assertThat(served.findings(Reason.LIST_HELD_BACK)).isEmpty();
        }
    }
}
