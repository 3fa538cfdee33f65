package dev.sallyport.app.admin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.Reported;
import dev.sallyport.control.event.EventPublisher;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.reconcile.ServedTruth;
import dev.sallyport.control.status.StatusPublisher;
import dev.sallyport.control.stored.StoreReport;
import dev.sallyport.control.translate.FindingIndex;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.RoutingTable;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.model.upstream.UpstreamKey;
import dev.sallyport.proxy.metric.ProxyMetrics;
import dev.sallyport.proxy.metric.Reading;
import dev.sallyport.tls.certificate.SelfSigned;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class AdminServerTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final Instant FIRST_SERVED = Instant.parse("2026-06-01T00:00:01Z");
    private static final ObjectRef INGRESS = new ObjectRef("Ingress", "default", "shop");

    private final HttpClient client = HttpClient.newHttpClient();
    private final ProxyMetrics metrics = new ProxyMetrics();
    private final ServedCertificate served =
            new ServedCertificate(
                    SelfSigned.make(
                            List.of(Hostname.parse("shop.example")),
                            Duration.ofDays(30),
                            () -> NOW),
                    new ObjectRef("Secret", "default", "shop-tls"),
                    NOW,
                    false);
    private Readiness readiness = Readiness.READY;
    private StoreReport stored = StoreReport.NONE;
    private final List<String> told = new ArrayList<>();
    private CertificateKeeper.Answer answer = CertificateKeeper.Answer.ACCEPTED;
    private @Nullable AcmeDesk desk;
    private Optional<ObjectRef> leader = Optional.empty();
    private AdminServer server;

    @BeforeEach
    void start() throws Exception {
        GatewaySnapshot snapshot = snapshot();
        Finding finding =
                Finding.of(
                                Reason.SECRET_MISSING,
                                INGRESS,
                                "Secret default/other is missing",
                                "Create it.")
                        .at(new Location("a.yaml", 7));
        var control =
                new ControlState(
                        snapshot,
                        ShardedMap.empty(),
                        Applied.whole(snapshot, List.of(finding)),
                        new ServedTruth(
                                ShardedMap.copyOf(
                                        Map.of(
                                                served.bundle(),
                                                new ServedTruth.Provenance(
                                                        served.source(), "4711", FIRST_SERVED))),
                                ShardedMap.copyOf(
                                        Map.of(
                                                served.source(),
                                                new ServedTruth.Unserved(
                                                        "4712", Reason.KEY_MISMATCH)))),
                        ShardedMap.empty(),
                        ShardedMap.empty(),
                        FindingIndex.EMPTY,
                        Map.of("Ingress", 1),
                        0,
                        3,
                        2,
                        0,
                        Duration.ofMillis(4),
                        Optional.of(NOW));
        server =
                AdminServer.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        new AdminState() {
                            @Override
                            public Readiness readiness() {
                                return readiness;
                            }

                            @Override
                            public GatewaySnapshot served() {
                                return snapshot;
                            }

                            @Override
                            public ControlState control() {
                                return control;
                            }

                            @Override
                            public StoreReport stored() {
                                return stored;
                            }

                            @Override
                            public int heldBack() {
                                return 3;
                            }

                            @Override
                            public Optional<Duration> sinceLastLook() {
                                return Optional.of(Duration.ofSeconds(3));
                            }

                            @Override
                            public Reported reported() {
                                return new Reported(
                                        true,
                                        true,
                                        leader,
                                        new StatusPublisher.Counts(7, 2),
                                        new EventPublisher.Counts(Map.of("KeyMismatch", 3L), 4));
                            }

                            @Override
                            public Reading traffic() {
                                return metrics.read();
                            }

                            @Override
                            public Optional<AcmeDesk> acme() {
                                return Optional.ofNullable(desk);
                            }
                        });
    }

    @AfterEach
    void stop() {
        server.close();
        client.close();
    }

    @Test
    void isAliveAtOnceAndReadyOnlyWhenTold() throws Exception {
        readiness = Readiness.notYet("the first snapshot is not applied yet");

        assertThat(get("/livez").statusCode()).isEqualTo(200);
        HttpResponse<String> notReady = get("/readyz");
        assertThat(notReady.statusCode()).isEqualTo(503);
        assertThat(notReady.body()).contains("the first snapshot is not applied yet");
        readiness = Readiness.READY;
        assertThat(get("/readyz").statusCode()).isEqualTo(200);
    }

    @Test
    void aGatewayThatServesWhatWasStoredIsReadyAndSaysSinceWhen() throws Exception {
        assertThat(get("/metrics").body())
                .doesNotContain("sallyport_stale")
                .doesNotContain("sallyport_stored_state");
        readiness = Readiness.staleSince(NOW);
        stored = new StoreReport(true, Optional.of(NOW), Optional.of(NOW), 4096, 7, 2);
        HttpResponse<String> ready = get("/readyz");
        assertThat(ready.statusCode()).isEqualTo(200);
        assertThat(ready.body()).contains("stale since " + NOW);
        assertThat(get("/metrics").body())
                .contains("sallyport_stale 1.0")
                .contains("sallyport_stored_state_timestamp_seconds ")
                .contains("sallyport_stored_state_bytes 4096.0")
                .contains("sallyport_stored_state_writes_total 7.0")
                .contains("sallyport_stored_state_failures_total 2.0");
    }

    @Test
    void aGatewayThatServesWhatWasStoredForWantOfARightIsNotReady() throws Exception {
        readiness = Readiness.refused(NOW, "the list of secrets (403: forbidden)");
        HttpResponse<String> refused = get("/readyz");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body())
                .contains(
                        "stale since "
                                + NOW
                                + ", and refused the list of secrets (403: forbidden)");
    }

    @Test
    void showsEachServedCertificate() throws Exception {
        JsonNode row = json("/api/certificates").get("certificates").get(0);

        assertThat(row.get("host").asString()).isEqualTo("shop.example");
        assertThat(row.get("serial").asString()).isEqualTo(served.bundle().serial());
        assertThat(row.get("source").asString()).isEqualTo("Secret default/shop-tls");
        assertThat(row.get("names").get(0).asString()).isEqualTo("shop.example");
        assertThat(row.get("since").asString()).isEqualTo("2026-06-01T00:00:00Z");
        assertThat(row.get("resourceVersion").asString()).isEqualTo("4711");
        assertThat(row.get("firstServed").asString()).isEqualTo("2026-06-01T00:00:01Z");
        assertThat(row.get("unserved").asString()).isEqualTo("KeyMismatch");
        assertThat(row.get("notAfter").asString()).endsWith("Z");
        assertThat(row.get("fallback").asBoolean()).isFalse();
    }

    @Test
    void showsEachRouteWithItsBackendsAndOrigin() throws Exception {
        JsonNode row = json("/api/routes").get("routes").get(0);

        assertThat(row.get("host").asString()).isEqualTo("shop.example");
        assertThat(row.get("path").asString()).isEqualTo("/");
        assertThat(row.get("pathType").asString()).isEqualTo("Prefix");
        assertThat(row.get("action").asString()).isEqualTo("forward");
        assertThat(row.get("backends").get(0).get("service").asString()).isEqualTo("default/shop");
        assertThat(row.get("backends").get(0).get("endpoints").get(0).asString())
                .isEqualTo("127.0.0.1:9000");
        assertThat(row.get("origin").asString()).isEqualTo("Ingress default/shop");
        assertThat(row.get("redirect").get("status").asInt()).isEqualTo(308);
    }

    @Test
    void showsEachFindingWithItsPlace() throws Exception {
        JsonNode row = json("/api/findings").get("findings").get(0);

        assertThat(row.get("reason").asString()).isEqualTo("SecretMissing");
        assertThat(row.get("severity").asString()).isEqualTo("error");
        assertThat(row.get("object").get("kind").asString()).isEqualTo("Ingress");
        assertThat(row.get("file").asString()).isEqualTo("a.yaml");
        assertThat(row.get("line").asInt()).isEqualTo(7);
        assertThat(row.get("advice").asString()).isEqualTo("Create it.");
    }

    @Test
    void exportsWhatIsServedAndWhatWasCounted() throws Exception {
        metrics.connectionOpened();
        metrics.requestStarted();
        metrics.requestEnded("h2", "GET", 200, 2_000_000, 0, 10);

        String page = get("/metrics").body();

        assertThat(page)
                .contains("sallyport_source_age_seconds 3.0")
                .contains("sallyport_source_held_back_objects 3.0")
                .contains("sallyport_certificate_not_after_seconds{host=\"shop.example\"")
                .contains("sallyport_certificate_loaded_seconds{host=\"shop.example\"")
                .contains(
                        "sallyport_certificate_served_seconds{host=\"shop.example\",key_type=\"ecdsa\",resource_version=\"4711\",serial=\""
                                + served.bundle().serial()
                                + "\",source=\"Secret default/shop-tls\"} "
                                + (double) FIRST_SERVED.getEpochSecond())
                .contains(
                        "sallyport_secret_served_resource_version{namespace=\"default\",secret=\"shop-tls\"} 4711.0")
                .contains(
                        "sallyport_secret_unserved{namespace=\"default\",reason=\"KeyMismatch\",secret=\"shop-tls\"} 1.0")
                .contains("sallyport_connections_total 1.0")
                .contains(
                        "sallyport_requests_total{method=\"GET\",protocol=\"h2\",status=\"2xx\"} 1.0")
                .contains(
                        "sallyport_request_duration_seconds_bucket{protocol=\"h2\",status=\"2xx\",le=\"+Inf\"} 1")
                .contains("sallyport_findings{reason=\"SecretMissing\",severity=\"error\"} 1.0")
                .contains("sallyport_objects{kind=\"Ingress\"} 1.0")
                .contains("sallyport_leader 1.0")
                .contains("sallyport_status_writes_total 7.0")
                .contains("sallyport_status_write_failures_total 2.0")
                .contains("sallyport_events_total{reason=\"KeyMismatch\"} 3.0")
                .contains("sallyport_events_dropped_total 4.0")
                .contains("sallyport_ready 1.0")
                .contains("jvm_memory_used_bytes");
    }

    @Test
    void neverShowsAKey() throws Exception {
        String key =
                served.bundle()
                        .privateKey()
                        .use(bytes -> Base64.getEncoder().encodeToString(bytes));

        for (String path :
                List.of("/", "/metrics", "/api/certificates", "/api/routes", "/api/findings")) {
            assertThat(get(path).body())
                    .as(path)
                    .doesNotContain(key.substring(50, 90))
                    .doesNotContain("PRIVATE KEY");
        }
    }

    @Test
    void answersOnlyItsPagesAndOnlyToReaders() throws Exception {
        assertThat(get("/nothing").statusCode()).isEqualTo(404);
        assertThat(get("/").body()).contains("/api/certificates");
        HttpRequest post =
                HttpRequest.newBuilder(uri("/livez"))
                        .POST(HttpRequest.BodyPublishers.ofString("x"))
                        .build();
        assertThat(client.send(post, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(405);
        HttpRequest head = HttpRequest.newBuilder(uri("/metrics")).HEAD().build();
        HttpResponse<String> answer = client.send(head, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
    }

    /** Shows what it is given, and notes what it is told. */
    private final class Desk implements AcmeDesk {
        private final KeeperState state;

        Desk(KeeperState state) {
            this.state = state;
        }

        @Override
        public KeeperState state() {
            return state;
        }

        @Override
        public CertificateKeeper.Answer renew(CertificateId id) {
            told.add("renew " + id);
            return answer;
        }

        @Override
        public CertificateKeeper.Answer revoke(CertificateId id, boolean keyCompromised) {
            told.add("revoke " + id + " " + keyCompromised);
            return answer;
        }

        @Override
        public CertificateKeeper.Answer rollOver(String issuer) {
            told.add("roll over " + issuer);
            return answer;
        }
    }

    @Test
    void saysSoWhereNoCertificatesAreIssued() throws Exception {
        HttpResponse<String> page = get("/api/acme");
        assertThat(page.statusCode()).isEqualTo(404);
        assertThat(page.body()).contains("--acme-directory");
        assertThat(post("/api/acme/renew?host=a.shop.example").statusCode()).isEqualTo(404);
        assertThat(get("/metrics").body()).doesNotContain("sallyport_acme");
    }

    @Test
    void showsHowItStandsWithEachCertificateOfItsOwn() throws Exception {
        desk = new Desk(AcmeStates.all());

        JsonNode page = json("/api/acme");

        assertThat(page.get("leads").asBoolean()).isTrue();
        assertThat(page.get("trouble").asString()).isEmpty();
        assertThat(page.get("orders").get("failed").get("ValidationFailed").asInt()).isEqualTo(2);
        JsonNode issuer = page.get("issuers").get(0);
        assertThat(issuer.get("name").asString()).isEqualTo("default");
        assertThat(issuer.get("directory").asString()).isEqualTo("https://ca.example/dir");
        assertThat(issuer.get("account").asString()).isEqualTo("https://ca.example/account/1");
        assertThat(issuer.get("requests").asInt()).isEqualTo(42);
        JsonNode kept = page.get("certificates").get(0);
        assertThat(kept.get("host").asString()).isEqualTo("a.shop.example");
        assertThat(kept.get("key").asString()).isEqualTo("ec-p256");
        assertThat(kept.get("issuers").get(1).asString()).isEqualTo("other");
        assertThat(kept.get("serial").asString()).isEqualTo("0a1b");
        assertThat(kept.get("window").get("explanation").asString())
                .isEqualTo("https://ca.example/why");
        assertThat(kept.get("next").asString()).isEqualTo("renew");
        assertThat(kept.get("at").asString()).isEqualTo("2026-07-21T12:00:00Z");
        assertThat(kept.get("why").asString()).startsWith("the CA suggests");
        JsonNode ordered = page.get("certificates").get(1);
        assertThat(ordered.get("next").asString()).isEqualTo("order");
        assertThat(ordered.get("at").isNull()).isTrue();
        assertThat(ordered.get("station").asString()).isEqualTo("challenged");
        assertThat(ordered.get("orderedAt").asString()).isEqualTo("default");
        JsonNode failing = page.get("certificates").get(2);
        assertThat(failing.get("failed").asInt()).isEqualTo(2);
        assertThat(failing.get("failures").get(0).get("cause").asString())
                .isEqualTo("ValidationFailed");
        assertThat(failing.get("failures").get(0).get("at").asString())
                .isEqualTo("2026-06-01T11:00:00Z");
        assertThat(failing.get("givenUp").asBoolean()).isFalse();
        JsonNode refused = page.get("certificates").get(3);
        assertThat(refused.get("givenUp").asBoolean()).isTrue();
        assertThat(refused.get("failures").get(0).get("visit").asString())
                .isEqualTo("https://ca.example/terms");
        assertThat(page.get("certificates").get(4).get("next").asString()).isEqualTo("look");
        assertThat(page.get("certificates").get(4).get("servedUntil").asString())
                .isEqualTo("2026-06-21T12:00:00Z");
        JsonNode gone = page.get("certificates").get(5);
        assertThat(gone.get("next").asString()).isEqualTo("remove");
        assertThat(gone.get("wanted").asBoolean()).isFalse();
        assertThat(gone.get("host").asString()).isEqualTo("any.shop.example");
    }

    @Test
    void countsCertificatesOfItsOwn() throws Exception {
        desk = new Desk(AcmeStates.all());

        assertThat(get("/metrics").body())
                .contains("sallyport_acme_leads 1.0")
                .contains("sallyport_acme_trouble 0.0")
                .contains("sallyport_acme_certificates{state=\"valid\"} 1.0")
                .contains("sallyport_acme_certificates{state=\"ordering\"} 1.0")
                .contains("sallyport_acme_certificates{state=\"failing\"} 2.0")
                .contains("sallyport_acme_certificates{state=\"covered\"} 1.0")
                .contains("sallyport_acme_certificates{state=\"gone\"} 1.0")
                .contains("sallyport_acme_certificates{state=\"missing\"} 0.0")
                .contains("sallyport_acme_orders_total 7.0")
                .contains("sallyport_acme_orders_issued_total 3.0")
                .contains("sallyport_acme_orders_failed_total{cause=\"ValidationFailed\"} 2.0")
                .contains("sallyport_acme_orders_failed_total{cause=\"Unreachable\"} 0.0")
                .contains("sallyport_acme_orders_under_way 1.0")
                .contains("sallyport_acme_requests_total{issuer=\"default\"} 42.0")
                .contains(
                        "sallyport_acme_next_renewal_timestamp_seconds "
                                + epoch("2026-07-21T12:00:00Z"))
                .contains(
                        "sallyport_acme_first_expiry_timestamp_seconds "
                                + epoch("2026-06-11T12:00:00Z"))
                .contains(
                        "sallyport_acme_failing_since_timestamp_seconds "
                                + epoch("2026-06-01T10:00:00Z"));

        desk = new Desk(AcmeStates.troubled());
        assertThat(get("/metrics").body())
                .contains("sallyport_acme_trouble 1.0")
                .contains("sallyport_acme_leads 0.0")
                .doesNotContain("sallyport_acme_first_expiry")
                .doesNotContain("sallyport_acme_failing_since");
    }

    /** What expires first, and what fails, may be two certificates. */
    @Test
    void tellsWhenTheFirstOfThoseExpiresThatFail() throws Exception {
        desk = new Desk(AcmeStates.othersFail());

        assertThat(get("/metrics").body())
                .contains(
                        "sallyport_acme_first_expiry_timestamp_seconds "
                                + epoch("2026-06-02T12:00:00Z"))
                .contains(
                        "sallyport_acme_failing_first_expiry_timestamp_seconds "
                                + epoch("2026-06-11T12:00:00Z"));

        desk = new Desk(AcmeStates.heldUp());
        assertThat(get("/metrics").body())
                .contains(
                        "sallyport_acme_failing_first_expiry_timestamp_seconds "
                                + epoch("2026-06-04T12:00:00Z"))
                .doesNotContain("sallyport_acme_failing_since");

        desk = new Desk(AcmeStates.troubled());
        assertThat(get("/metrics").body()).doesNotContain("sallyport_acme_failing_first_expiry");
    }

    private static String epoch(String instant) {
        return String.valueOf((double) Instant.parse(instant).getEpochSecond());
    }

    @Test
    void doesWhatItIsToldToWithCertificates() throws Exception {
        desk = new Desk(AcmeStates.all());

        HttpResponse<String> renewed = post("/api/acme/renew?host=A.shop.example");
        assertThat(renewed.statusCode()).as(renewed.body()).isEqualTo(202);
        assertThat(renewed.body()).contains("\"accepted\":true");
        assertThat(post("/api/acme/revoke?host=%2A.shop.example").statusCode()).isEqualTo(202);
        assertThat(post("/api/acme/revoke?host=a.shop.example&reason=key-compromise").statusCode())
                .isEqualTo(202);
        assertThat(post("/api/acme/rollover?issuer=default").statusCode()).isEqualTo(202);
        assertThat(told)
                .containsExactly(
                        "renew a.shop.example",
                        "revoke any..shop.example false",
                        "revoke a.shop.example true",
                        "roll over default");
        answer = CertificateKeeper.Answer.FOREIGN;
        assertThat(post("/api/acme/revoke?host=a.shop.example").body())
                .contains("comes from a CA that is not configured");
        answer = CertificateKeeper.Answer.NOT_ISSUED;
        assertThat(post("/api/acme/revoke?host=b.shop.example").body())
                .contains("there is no certificate for b.shop.example yet");
        answer = CertificateKeeper.Answer.NO_ISSUER;
        assertThat(post("/api/acme/renew?host=a.shop.example").statusCode()).isEqualTo(409);
        assertThat(post("/api/acme/renew?host=a.shop.example").body())
                .contains("none of its issuers is configured");
        answer = CertificateKeeper.Answer.UNKNOWN;
        assertThat(post("/api/acme/rollover?issuer=nobody").statusCode()).isEqualTo(404);
        assertThat(post("/api/acme/renew?host=z.shop.example").statusCode()).isEqualTo(404);
        answer = CertificateKeeper.Answer.NOT_LEADING;
        assertThat(post("/api/acme/renew?host=a.shop.example").statusCode()).isEqualTo(409);
        assertThat(post("/api/acme/rollover?issuer=default").statusCode()).isEqualTo(409);
    }

    @Test
    void saysWhichReplicaOrdersAndHowItIsReached() throws Exception {
        desk = new Desk(AcmeStates.all());
        answer = CertificateKeeper.Answer.NOT_LEADING;
        assertThat(post("/api/acme/renew?host=a.shop.example").body())
                .as("not known")
                .contains("another replica orders", "/api/acme says leads")
                .doesNotContain("kubectl");

        leader = Optional.of(new ObjectRef("Pod", "edge", "sallyport-7d9-x2x"));

        String exec = "Pod edge/sallyport-7d9-x2x does: kubectl -n edge exec sallyport-7d9-x2x -- ";
        HttpResponse<String> refused = post("/api/acme/renew?host=a.shop.example");
        assertThat(refused.statusCode()).isEqualTo(409);
        assertThat(refused.body()).contains(exec + "sallyport acme renew a.shop.example\n");
        assertThat(post("/api/acme/revoke?host=%2A.shop.example").body())
                .contains(exec + "sallyport acme revoke '*.shop.example'\n");
        assertThat(post("/api/acme/revoke?host=a.shop.example&reason=key-compromise").body())
                .contains(exec + "sallyport acme revoke --key-compromise a.shop.example\n");
        assertThat(post("/api/acme/rollover?issuer=default").body())
                .contains(exec + "sallyport acme rollover default\n");
        assertThat(post("/api/acme/rollover?issuer=%3Brm").body())
                .as("nothing for a shell")
                .contains(exec + "sallyport acme rollover …\n");
    }

    @Test
    void doesNothingForWebPagesNorForWhatItDoesNotUnderstand() throws Exception {
        desk = new Desk(AcmeStates.all());

        HttpResponse<String> read = get("/api/acme/renew?host=a.shop.example");
        assertThat(read.statusCode()).isEqualTo(405);
        assertThat(read.headers().firstValue("Allow")).contains("POST");
        HttpRequest.Builder plain =
                HttpRequest.newBuilder(uri("/api/acme/renew?host=a.shop.example"))
                        .POST(HttpRequest.BodyPublishers.ofString("x"));
        assertThat(client.send(plain.build(), HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(403);
        HttpRequest other = plain.header("X-Sallyport", "yes").build();
        assertThat(client.send(other, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(403);
        for (String query :
                List.of(
                        "",
                        "?",
                        "?host=",
                        "?host",
                        "?=a",
                        "?host=192.0.2",
                        "?host=a..b",
                        "?host=a.shop.example&host=b.shop.example",
                        "?host=a.shop.example&force=yes",
                        "?host=a.shop.example&reason=key-compromise")) {
            assertThat(post("/api/acme/renew" + query).statusCode()).as(query).isEqualTo(400);
        }
        assertThat(post("/api/acme/renew?host=192.0.2.1").statusCode())
                .as("not one of the gateway's own")
                .isEqualTo(404);
        assertThat(post("/api/acme/revoke?host=a.shop.example&reason=whim").statusCode())
                .isEqualTo(400);
        for (String query : List.of("", "?issuer=", "?issuer=default&host=a.shop.example")) {
            assertThat(post("/api/acme/rollover" + query).statusCode()).as(query).isEqualTo(400);
        }
        assertThat(post("/api/acme").statusCode()).isEqualTo(405);
        assertThat(told).isEmpty();
        assertThat(get("/").body()).contains("POST /api/acme/renew");
    }

    private HttpResponse<String> post(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(path))
                        .header("X-Sallyport", "1")
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private GatewaySnapshot snapshot() {
        var key = new UpstreamKey("default", "shop", 80);
        var route =
                new Route(
                        new PathMatch.Prefix("/"),
                        new RouteAction.Forward(List.of(new WeightedBackend(key, 1))),
                        INGRESS,
                        NOW);
        var host =
                VirtualHost.of(
                        List.of(route), Optional.empty(), Optional.of(new HttpsRedirect(308, 443)));
        Hostname name = Hostname.parse("shop.example");
        return new GatewaySnapshot(
                1,
                List.of(),
                new RoutingTable(
                        HostTable.copyOf(Map.of(name, host)),
                        RoutingTable.EMPTY.anyHost(),
                        Optional.empty()),
                new CertificateTable(
                        HostTable.copyOf(Map.of(name, CertificateSet.of(List.of(served)))),
                        Optional.empty()),
                ShardedMap.copyOf(
                        Map.of(key, new Upstream(key, List.of(new Endpoint("127.0.0.1", 9000))))));
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).contains("application/json");
        return JsonMapper.builder().build().readTree(response.body());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
    }
}
