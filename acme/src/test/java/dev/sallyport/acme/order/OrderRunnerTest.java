package dev.sallyport.acme.order;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.NotPresentedException;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.finding.Parsed;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a CA may do that a Pebble does not. */
@Tag("slow")
@Timeout(60)
class OrderRunnerTest {
    private static final InstantSource CLOCK = Clock.system(ZoneOffset.UTC);
    private static final CertificateId ID = new CertificateId("shop.example");
    private static final Duration PATIENT = Duration.ofSeconds(20);
    private static final OrderTimes TIMES =
            new OrderTimes(Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ofMillis(20));

    private static final ScriptedCa.Answer AWAY = ScriptedCa.status(503, "text/plain", "");

    private final ScriptedCa ca = new ScriptedCa();
    private final Path root;
    private final DirectoryStore store;
    private final List<Station> stations = new ArrayList<>();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Set<Proof> shown = ConcurrentHashMap.newKeySet();
    private Duration skipped = Duration.ZERO; // of the order's time, where a pause only counts it
    private volatile boolean mute;
    private volatile boolean none;

    /** Shows everything at once, unless it is mute or can show nothing. */
    private final ChallengeBoard board =
            new ChallengeBoard() {
                @Override
                public boolean takes(ChallengeType type, Identifier identifier) {
                    return type == ChallengeType.HTTP_01 && !none;
                }

                @Override
                public void present(Proof proof, Duration patience) throws NotPresentedException {
                    if (mute) {
                        throw new NotPresentedException("mute");
                    }
                    shown.add(proof);
                }

                @Override
                public void withdraw(Proof proof) {
                    shown.remove(proof);
                }
            };

    OrderRunnerTest(@TempDir Path folder) throws Exception {
        root = folder.resolve("state");
        store = DirectoryStore.open(root);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        store.close();
        ca.close();
    }

    @Test
    void anOrderTellsItsStations() throws Exception {
        issued(run(authority(PATIENT)));
        assertThat(stations).containsExactly(Station.values());
        assertThat(ca.orders).hasValue(1);
    }

    @ParameterizedTest
    @CsvSource({
        "404,text/plain,''",
        "410,text/html,<h1>gone</h1>",
        "404,application/problem+json,'{\"type\":\"about:blank\",\"detail\":\"no order\"}'",
        "404,application/problem+json,'{\"type\":\"urn:ietf:params:acme:error:malformed\"}'",
        "410,application/problem+json,'{\"type\":\"urn:ietf:params:acme:error:serverInternal\"}'",
        "404,application/problem+json,'not JSON'",
    })
    void anOrderThatIsGoneIsFollowedByAnother(int status, String type, String body)
            throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        mute = true;
        assertThat(failed(run(authority))).isInstanceOf(Cause.NotPresented.class);
        assertThat(store.orders()).hasSize(1);
        mute = false;
        ca.answering("/order/1", ScriptedCa.status(status, type, body));
        issued(run(authority));
        assertThat(ca.orders).hasValue(2);
        assertThat(store.orders()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/cert/1", "/authz/1", "/chall/1", "/finalize/1"})
    void whatIsGoneInTheMiddleIsNotAskedForForEver(String path) throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        ca.answering(path, ScriptedCa.status(404, "text/plain", "gone"));
        assertThat(failed(run(authority))).isInstanceOf(Cause.OrderLost.class);
        assertThat(store.orders()).isEmpty();
        issued(run(authority));
        assertThat(ca.orders).hasValue(2);
    }

    @Test
    void aCaWithoutAPlaceForOrdersIsInTrouble() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        ca.answering("/order", ScriptedCa.status(404, "text/plain", "gone"));
        assertThat(failed(run(authority))).isInstanceOf(Cause.CaTrouble.class);
    }

    @Test
    void anAccountThatIsNotKnownAnyMoreIsRegisteredAnew() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        issued(run(authority));
        StoredAccount before = account(authority);
        forgetAccountOnce("/order");
        issued(run(authority));
        assertThat(ca.accounts).hasValue(2);
        assertThat(account(authority).key()).isEqualTo(before.key());
        assertThat(account(authority).location()).isNotEqualTo(before.location());
    }

    @Test
    void whatIsRevokedByAnAccountThatIsNotKnownIsRevokedByANewOne() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        X509Certificate leaf = leaf(issued(run(authority)));
        forgetAccountOnce("/revoke");
        authority.revoke(leaf, true);
        assertThat(ca.accounts).hasValue(2);
        assertThat(ca.requests.stream().filter("/revoke"::equals)).hasSize(2);
    }

    @Test
    void anAccountThatWasRegisteredMeanwhileIsNotForgotten() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        var login = authority.login(authority.session());
        StoredAccount other =
                account(authority)
                        .at(URI.create(ca.issuer().directory().resolve("/acct/7").toString()));
        store.save(other);
        authority.forgetLocation(login);
        assertThat(account(authority)).isEqualTo(other);
        authority.forgetLocation(authority.login(authority.session()));
        assertThat(account(authority).location()).isEmpty();
    }

    @Test
    void anOrderThatIsInvalidWasNeverValidated() throws Exception {
        ca.afterwards = "invalid";
        assertThat(failed(run(authority(PATIENT)))).isInstanceOf(Cause.NameRefused.class);
        assertThat(stations).contains(Station.CHALLENGED).doesNotContain(Station.VALIDATED);
        assertThat(store.orders()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/dir",
                "/nonce",
                "/account",
                "/order",
                "/order/1",
                "/authz",
                "/chall",
                "/finalize",
                "/cert"
            })
    void nothingThatDripsIsWaitedForLong(String path) throws Exception {
        ca.answering(path, ca.dripping());
        long begin = System.nanoTime();
        Outcome outcome = run(authority(Duration.ofMillis(500)));
        if (!path.equals("/order/1")) { // which need not be asked for
            assertThat(failed(outcome)).isInstanceOf(Cause.Unreachable.class);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(25));
    }

    @ParameterizedTest
    @CsvSource({"/order, true", "/nonce, false"})
    void itIsKnownWhetherAnOrderMayHaveBeenMade(String silent, boolean asked) throws Exception {
        ca.answering(silent, ca.silent());
        assertThat(failed(run(authority(Duration.ofMillis(500)))))
                .isInstanceOfSatisfying(
                        Cause.Unreachable.class,
                        cause -> assertThat(cause.asked()).isEqualTo(asked));
    }

    @Test
    void norWhereItIsNoOrder() throws Exception {
        CertificateAuthority authority = authority(Duration.ofMillis(500));
        X509Certificate leaf = leaf(issued(run(authority)));
        ca.answering("/ari", ca.dripping());
        ca.answering("/revoke", ca.dripping());
        assertThatThrownBy(() -> authority.window(leaf)).isInstanceOf(FailedException.class);
        assertThatThrownBy(() -> authority.revoke(leaf, false)).isInstanceOf(FailedException.class);
    }

    @Test
    void theCaLearnsOfOtherContactsOnceAProcess() throws Exception {
        issued(run(authority(PATIENT, "old@shop.example")));
        ca.contacts = "[\"mailto:old@shop.example\"]";
        CertificateAuthority after = authority(PATIENT, "new@shop.example");
        issued(run(after));
        issued(run(after));
        assertThat(ca.contacts).isEqualTo("[\"mailto:new@shop.example\"]");
        assertThat(ca.requests.stream().filter(it -> it.startsWith("/acct"))).hasSize(2);
        issued(run(authority(PATIENT, "new@shop.example")));
        assertThat(ca.requests.stream().filter(it -> it.startsWith("/acct"))).hasSize(3);
    }

    @Test
    void aCaThatDoesNotTakeContactsIssuesAllTheSame() throws Exception {
        issued(run(authority(PATIENT)));
        ca.answering("/acct", ScriptedCa.problem(400, "urn:ietf:params:acme:error:invalidContact"));
        issued(run(authority(PATIENT, "new@shop.example")));
        assertThat(ca.orders).hasValue(2);
    }

    @Test
    void theProfileThatWasAskedForIsStored() throws Exception {
        assertThat(issued(run(authority(PATIENT))).profile()).contains("");
    }

    @Test
    void aKeyThatTheCaRefusesIsNotOfferedAgain() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        ca.answering("/finalize", ScriptedCa.problem(400, "urn:ietf:params:acme:error:badCSR"));
        assertThat(failed(run(authority))).isInstanceOf(Cause.OrderRefused.class);
        assertThat(store.orders()).isEmpty();
        ca.answeringAgain("/finalize");
        issued(run(authority));
        assertThat(ca.orders).hasValue(2);
        assertThat(ca.keys()).as("offered, each another one").hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void aCaIsNotAskedBeforeItLikesToBe() throws Exception {
        ca.afterwards = "pending";
        ca.retryAfter = "30";
        List<Duration> pauses = new ArrayList<>();
        issued(
                runPausing(held -> {
                    pauses.add(held);
                    if (pauses.size() == 3) {
                        ca.validate();
                    }
                }));
        assertThat(pauses)
                .hasSize(3)
                .allSatisfy(held -> assertThat(held).isBetween(ofSeconds(20), ofSeconds(30)));
        assertThat(looks())
                .as("to see what is asked for, then before and after pauses")
                .isEqualTo(5);
    }

    @Test
    void aCaThatLikesToBeAskedTooLateIsAskedALastTimeBeforeItIsGivenUpForNow() throws Exception {
        ca.afterwards = "pending";
        ca.retryAfter = "3600";
        List<Duration> pauses = new ArrayList<>();
        assertThat(
                        failed(
                                run(
                                        authority(PATIENT),
                                        new OrderTimes(
                                                ofSeconds(12), TIMES.presenting(), TIMES.soonest()),
                                        held -> {
                                            pauses.add(held);
                                            skipped = skipped.plus(held);
                                        })))
                .isInstanceOf(Cause.CaTrouble.class);
        assertThat(pauses)
                .singleElement()
                .satisfies(held -> assertThat(held).isBetween(ofSeconds(4), ofSeconds(12)));
        assertThat(looks()).isEqualTo(3);
        assertThat(store.orders()).as("gone on with later").hasSize(1);
    }

    /** How often the CA was asked how far the first proof is. */
    private long looks() {
        return ca.requests.stream().filter("/authz/1"::equals).count();
    }

    @Test
    void aWishBeyondTheOrdersTimeIsNotWaitedFor() throws Exception {
        ca.afterwards = "pending";
        ca.retryAfter = "86400"; // as ZeroSSL has it
        List<Duration> pauses = new ArrayList<>();
        issued(
                runPausing(held -> {
                    pauses.add(held);
                    ca.validate();
                }));
        assertThat(pauses).containsExactly(Duration.ofSeconds(15));
    }

    @Test
    void aCaThatIsAwayForAMomentWhileItLooksIsWaitedFor() throws Exception {
        ca.afterwards = "pending";
        List<Duration> pauses = new ArrayList<>();
        issued(
                runPausing(held -> {
                    pauses.add(held);
                    switch (pauses.size()) {
                        case 1 -> ca.answering("/authz", AWAY);
                        case 2, 3 -> assertThat(shown).as("while it may look").hasSize(1);
                        default -> {
                            ca.answeringAgain("/authz");
                            ca.validate();
                        }
                    }
                }));
        assertThat(pauses).hasSize(4);
        assertThat(pauses.subList(1, 4))
                .allSatisfy(held -> assertThat(held).isCloseTo(ofSeconds(5), ofSeconds(1)));
        assertThat(ca.orders).hasValue(1);
        assertThat(shown).isEmpty();
    }

    @Test
    void aCaThatStaysAwayIsNotWaitedForWithAllOfTheOrdersTime() throws Exception {
        ca.afterwards = "pending";
        AtomicInteger pauses = new AtomicInteger();
        var times = new OrderTimes(ofSeconds(60), TIMES.presenting(), TIMES.soonest());
        long begin = System.nanoTime();
        assertThat(
                        failed(
                                run(
                                        authority(PATIENT),
                                        times,
                                        held -> {
                                            if (pauses.incrementAndGet() == 1) {
                                                ca.answering("/authz", AWAY);
                                            }
                                            Pause.PARKED.take(held);
                                        })))
                .isInstanceOf(Cause.CaTrouble.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isBetween(ofSeconds(6), ofSeconds(20));
        assertThat(store.orders()).as("gone on with later").hasSize(1);
    }

    private Outcome runPausing(Pause pause) throws InterruptedException {
        return run(authority(PATIENT), OrderTimes.STANDARD, pause);
    }

    @Test
    void allConversationsOfAnOrderHaveOneDeadline() throws Exception {
        ca.answering("/finalize", ca.dripping());
        long begin = System.nanoTime();
        assertThat(failed(run(authority(PATIENT), Duration.ofSeconds(2))))
                .isInstanceOf(Cause.Unreachable.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(15));
    }

    @Test
    void moreProofsThanNamesAreNotGiven() throws Exception {
        ca.authorizations = 2;
        assertThat(failed(run(authority(PATIENT))))
                .isInstanceOfSatisfying(
                        Cause.CaTrouble.class,
                        cause -> assertThat(cause.detail()).contains("2 proofs of 1 names"));
        assertThat(ca.requests).noneMatch(it -> it.startsWith("/chall"));
    }

    @Test
    void theCaIsToldOfAnOrderThatIsGivenUp() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        mute = true;
        run(authority);
        StoredOrder order =
                ((Parsed.Usable<Optional<StoredOrder>>) store.order(ID)).value().orElseThrow();
        new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES).abandon(authority, order);
        assertThat(ca.payloads).contains("/authz/1 {\"status\":\"deactivated\"}");
        ca.close();
        new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES).abandon(authority, order);
    }

    @Test
    void whatCannotBeProvenIsNotLeftPending() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        none = true;
        assertThat(failed(run(authority))).isInstanceOf(Cause.NoChallenge.class);
        assertThat(ca.payloads).contains("/authz/1 {\"status\":\"deactivated\"}");
        assertThat(store.orders()).isEmpty();
    }

    @Test
    void givingUpRegistersNobody() throws Exception {
        mute = true;
        run(authority(PATIENT));
        StoredOrder order =
                ((Parsed.Usable<Optional<StoredOrder>>) store.order(ID)).value().orElseThrow();
        CertificateAuthority authority = authority(PATIENT);
        authority.forgetLocation(authority.login(authority.session()));
        ca.requests.clear();
        new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES).abandon(authority, order);
        assertThat(ca.requests).isEmpty();
    }

    @Test
    void aSilentCaKeepsNobodyLongerThanTheFirst() throws Exception {
        ca.answering("/", ca.silent());
        CertificateAuthority authority = authority(Duration.ofSeconds(2));
        long begin = System.nanoTime();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Outcome>> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                var id = new CertificateId("h" + i + ".example");
                all.add(threads.submit(() -> run(authority, id)));
            }
            for (Future<Outcome> each : all) {
                assertThat(failed(each.get())).isInstanceOf(Cause.Unreachable.class);
            }
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as("one after the other they would take 100 s")
                .isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void anInterruptIsNoFailure() throws Exception {
        ca.answering("/finalize", ca.dripping());
        CertificateAuthority authority = authority(PATIENT);
        var end = new AtomicReference<Optional<Throwable>>(Optional.empty());
        Thread order =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                run(authority);
                            } catch (InterruptedException expected) {
                                end.set(Optional.of(expected));
                            }
                        });
        await().until(() -> ca.requests.contains("/finalize/1"));
        order.interrupt();
        assertThat(order.join(Duration.ofSeconds(20))).isTrue();
        assertThat(end.get()).isPresent();
        assertThat(store.orders()).hasSize(1);
    }

    @Test
    void aDamagedOrderIsWrittenOver() throws Exception {
        CertificateAuthority authority = authority(PATIENT);
        mute = true;
        run(authority);
        Path file = root.resolve("orders").resolve(ID.text());
        byte[] sound = Files.readAllBytes(file);
        sound[sound.length / 2] ^= 1;
        Files.write(file, sound);
        assertThat(store.order(ID)).isInstanceOf(Parsed.Rejected.class);
        assertThat(failed(run(authority))).isInstanceOf(Cause.NotPresented.class);
        assertThat(store.order(ID)).isInstanceOf(Parsed.Usable.class);
        mute = false;
        StoredOrder order =
                ((Parsed.Usable<Optional<StoredOrder>>) store.order(ID)).value().orElseThrow();
        StoredCertificate issued = issued(run(authority));
        assertThat(leaf(issued).getPublicKey().getEncoded()).isEqualTo(order.key().spki());
        assertThat(ca.orders).hasValue(2);
    }

    private void forgetAccountOnce(String path) {
        ca.answering(
                path,
                exchange -> {
                    ca.answeringAgain(path);
                    ScriptedCa.problem(400, "urn:ietf:params:acme:error:accountDoesNotExist")
                            .give(exchange);
                });
    }

    private CertificateAuthority authority(Duration patience, String... contacts) {
        CertificateAuthority authority = ca.authority(store, CLOCK, patience, contacts);
        open.add(authority);
        return authority;
    }

    private Outcome run(CertificateAuthority authority) throws InterruptedException {
        return run(authority, TIMES);
    }

    private Outcome run(CertificateAuthority authority, Duration total)
            throws InterruptedException {
        return run(authority, new OrderTimes(total, TIMES.presenting(), TIMES.soonest()));
    }

    private Outcome run(CertificateAuthority authority, OrderTimes times)
            throws InterruptedException {
        return run(authority, times, Pause.PARKED);
    }

    private Outcome run(CertificateAuthority authority, OrderTimes times, Pause pause)
            throws InterruptedException {
        var order = CertificateOrder.of(List.of(Identifier.parse(ID.text())), KeyAlgorithm.EC_P256);
        return new OrderRunner(store, board, () -> CLOCK.instant().plus(skipped), pause, times)
                .run(authority, new OrderRequest(ID, order, Optional.empty()), stations::add);
    }

    private Outcome run(CertificateAuthority authority, CertificateId id)
            throws InterruptedException {
        var order = CertificateOrder.of(List.of(Identifier.parse(id.text())), KeyAlgorithm.EC_P256);
        return new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES)
                .run(authority, new OrderRequest(id, order, Optional.empty()), Progress.IGNORED);
    }

    private StoredAccount account(CertificateAuthority authority) {
        return ((Parsed.Usable<Optional<StoredAccount>>) store.account(authority.issuer()))
                .value()
                .orElseThrow();
    }

    private static StoredCertificate issued(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Issued issued -> issued.certificate();
            case Outcome.Failed failed -> throw new AssertionError(failed.cause());
        };
    }

    private static Cause failed(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Issued issued -> throw new AssertionError(issued);
            case Outcome.Failed failed -> failed.cause();
        };
    }

    private static X509Certificate leaf(StoredCertificate stored) throws Exception {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(stored.bundle().chain().getFirst()));
    }
}
