package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Demand;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.OrderLedger;
import dev.sallyport.acme.plan.RateLimits;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalRules;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.plan.Situation;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Parsed;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Orders against a real Pebble, each test with one of its own. */
@Tag("pebble")
class PebbleIT {
    private static final InstantSource CLOCK = Clock.system(ZoneOffset.UTC);
    private static final CertificateId ID = new CertificateId("shop");
    private static final OrderTimes TIMES =
            new OrderTimes(Duration.ofMinutes(1), Duration.ofSeconds(10), Duration.ofMillis(50));

    private final Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final DirectoryStore store;

    PebbleIT(@TempDir Path folder) throws Exception {
        this.folder = folder;
        store = kept(DirectoryStore.open(folder.resolve("state")));
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    @ParameterizedTest
    @EnumSource(ChallengeType.class)
    void aCertificateIsIssuedByEachKindOfChallenge(ChallengeType challenge) throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble).only(challenge);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        StoredCertificate issued =
                issued(run(authority, board, order("shop.example", "www.shop.example")));
        assertThat(issued.bundle().covers("www.shop.example")).isTrue();
        assertThat(issued.bundle().chain()).hasSize(2);
        assertThat(board.presented).hasValue(2);
        assertThat(board.withdrawn).hasValue(2);
        assertThat(store.orders()).isEmpty();
        assertThat(stored().bundle().fingerprint()).isEqualTo(issued.bundle().fingerprint());
        System.getLogger("figures")
                .log(
                        System.Logger.Level.INFO,
                        "requests to the CA for an account and a certificate of 2 names by "
                                + challenge.text()
                                + ": "
                                + authority.requests());
    }

    @ParameterizedTest
    @EnumSource(KeyAlgorithm.class)
    void eachKindOfKeyIsIssuedFor(KeyAlgorithm key) throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        CertificateAuthority authority = authority(pebble.issuer("main"));
        CertificateOrder order =
                CertificateOrder.of(List.of(Identifier.parse("shop.example")), key);
        StoredCertificate issued = issued(run(authority, board(pebble), order));
        assertThat(KeyAlgorithm.of(leaf(issued).getPublicKey())).contains(key);
    }

    @Test
    void wildcardsAndAddressesAreIssued() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        StoredCertificate issued =
                issued(
                        run(
                                authority(pebble.issuer("main")),
                                board(pebble),
                                order("*.shop.example", "shop.example", "127.0.0.1")));
        assertThat(CurrentCertificate.identifiersOf(leaf(issued)))
                .extracting(Identifier::text)
                .containsExactlyInAnyOrder("*.shop.example", "shop.example", "127.0.0.1");
    }

    @Test
    void anAddressIsProvenByTls() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        issued(
                run(
                        authority(pebble.issuer("main")),
                        board(pebble).only(ChallengeType.TLS_ALPN_01),
                        order("127.0.0.1")));
    }

    @Test
    void aWildcardWithoutDnsIsToldSo() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        assertThat(
                        failed(
                                run(
                                        authority(pebble.issuer("main")),
                                        board(pebble).only(ChallengeType.HTTP_01),
                                        order("*.shop.example"))))
                .isInstanceOf(Cause.NoChallenge.class);
    }

    @Test
    void anExternalAccountIsBound() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().requiringExternalAccounts());
        TestBoard board = board(pebble);
        assertThat(failed(run(authority(pebble.issuer("without")), board, order("shop.example"))))
                .isInstanceOf(Cause.AccountRefused.class);
        IssuerDraft with =
                pebble.issuer("with")
                        .withExternalAccount(
                                PebbleServer.EAB_KEY_ID,
                                SensitiveBytes.copyOf(
                                        PebbleServer.EAB_MAC.getBytes(StandardCharsets.US_ASCII)));
        issued(run(authority(with), board, order("shop.example")));
    }

    @Test
    void aCaThatRefusesEveryOtherNonceIsAskedAgain() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().refusingNonces(50));
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        for (int i = 0; i < 10; i++) {
            issued(patiently(authority, board, order("a" + i + ".shop.example")));
        }
    }

    /**
     * Ten nonces in a row are refused once in a thousand requests: the order ends, and goes on the
     * next time, as it does for the keeper.
     */
    private Outcome patiently(
            CertificateAuthority authority, TestBoard board, CertificateOrder order)
            throws Exception {
        Outcome outcome = run(authority, board, order);
        for (int again = 0; again < 3 && outcome instanceof Outcome.Failed(Cause cause); again++) {
            assertThat(cause.detail()).contains("badNonce");
            outcome = run(authority, board, order);
        }
        return outcome;
    }

    @Test
    void authorizationsThatTheCaReusesAreNotProvenAgain() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().reusingAuthorizations());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        issued(run(authority, board, order("shop.example")));
        issued(run(authority, board, order("shop.example")));
        assertThat(board.presented).hasValue(1);
    }

    @Test
    void aSlowValidationIsWaitedFor() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().validatingSlowly(3));
        issued(run(authority(pebble.issuer("main")), board(pebble), order("shop.example")));
    }

    @Test
    void aFailedValidationIsToldAndTheNextOrderIsANewOne() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble).only(ChallengeType.HTTP_01);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        board.lie(true);
        assertThat(failed(run(authority, board, order("shop.example"))))
                .asInstanceOf(type(Cause.ValidationFailed.class))
                .satisfies(cause ->
                        assertThat(cause.identifiers())
                                .containsExactly(Identifier.parse("shop.example")));
        assertThat(store.orders()).isEmpty();
        board.lie(false);
        issued(run(authority, board, order("shop.example")));
    }

    @Test
    void whatNotEverybodyAnswersIsNotAskedForAndTheOrderGoesOnLater() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        board.mute = true;
        assertThat(failed(run(authority, board, order("shop.example"))))
                .isInstanceOf(Cause.NotPresented.class);
        StoredOrder order = inProgress();
        board.mute = false;
        StoredCertificate issued = issued(run(authority, board, order("shop.example")));
        assertThat(leaf(issued).getPublicKey().getEncoded())
                .as("the same order")
                .isEqualTo(order.key().spki());
    }

    @Test
    void aBlockedNameIsForPeopleToMend() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().blocking("blocked.example"));
        assertThat(
                        failed(
                                run(
                                        authority(pebble.issuer("main")),
                                        board(pebble),
                                        order("www.blocked.example"))))
                .asInstanceOf(type(Cause.NameRefused.class))
                .satisfies(cause -> assertThat(cause.pace()).isEqualTo(Cause.Pace.PEOPLE));
    }

    @Test
    void profilesAreAskedFor() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        StoredCertificate six =
                issued(
                        run(
                                authority(pebble.issuer("short").withProfile("shortlived")),
                                board,
                                order("shop.example")));
        assertThat(Duration.between(six.bundle().notBefore(), six.bundle().notAfter()))
                .isBetween(Duration.ofDays(5), Duration.ofDays(7));
        assertThat(
                        failed(
                                run(
                                        authority(pebble.issuer("odd").withProfile("no-such")),
                                        board,
                                        order("other.example"))))
                .isInstanceOf(Cause.OrderRefused.class);
    }

    @Test
    void theNextIssuerIssuesWhereTheFirstIsDown() throws Exception {
        PebbleServer down = pebble(PebbleServer.behaving());
        PebbleServer up = pebble(PebbleServer.behaving());
        down.kill();
        TestBoard board = board(up);
        Map<String, CertificateAuthority> authorities =
                Map.of(
                        "down", authority(down.issuer("down")),
                        "up", authority(up.issuer("up")));
        CertificateOrder order = order("shop.example");
        List<Failure> failures = new ArrayList<>();
        Instant now = CLOCK.instant();
        for (int attempt = 0; attempt < 10; attempt++) {
            switch (plan(
                    order,
                    List.of("down", "up"),
                    Optional.empty(),
                    Optional.empty(),
                    failures,
                    now)) {
                case RenewalPlan.WaitUntil wait -> now = wait.until();
                case RenewalPlan.Issue issue -> {
                    switch (run(
                            Objects.requireNonNull(authorities.get(issue.issuer())),
                            board,
                            issue.order())) {
                        case Outcome.Issued issued -> {
                            assertThat(issued.certificate().issuer()).isEqualTo("up");
                            assertThat(failures).as("nothing serves: at once").hasSize(1);
                            return;
                        }
                        case Outcome.Failed failed -> {
                            assertThat(failed.cause()).isInstanceOf(Cause.Unreachable.class);
                            failures.add(new Failure(now, issue.issuer(), order, failed.cause()));
                        }
                    }
                }
                default -> throw new AssertionError("there is no certificate");
            }
        }
        throw new AssertionError("not issued: " + failures);
    }

    @Test
    void aWindowInThePastMeansAReplacementAndOneInTheFutureDoesNot() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main").withProfile("default"));
        CertificateOrder order = order("shop.example");
        StoredCertificate first = issued(run(authority, board, order));
        Instant now = CLOCK.instant();
        Optional<RenewalWindow> usual = authority.window(leaf(first));
        assertThat(usual.orElseThrow().start()).isAfter(now.plus(Duration.ofDays(50)));
        assertThat(plan(order, first, usual, now)).isInstanceOf(RenewalPlan.Keep.class);
        Instant later = now.plus(Duration.ofDays(70));
        pebble.renewalInfo(leaf(first), later, later.plus(Duration.ofDays(4)));
        assertThat(plan(order, first, authority.window(leaf(first)), now))
                .asInstanceOf(type(RenewalPlan.Keep.class))
                .satisfies(keep ->
                        assertThat(keep.until()).isBetween(later, later.plus(Duration.ofDays(4))));
        pebble.renewalInfo(
                leaf(first), now.minus(Duration.ofDays(2)), now.minus(Duration.ofDays(1)));
        assertThat(plan(order, first, authority.window(leaf(first)), now))
                .asInstanceOf(type(RenewalPlan.Renew.class))
                .satisfies(renew -> {
                    assertThat(renew.why()).isInstanceOf(Why.Withdrawn.class);
                    assertThat(renew.kind()).isEqualTo(OrderKind.REPLACEMENT);
                });
        StoredCertificate second = issued(replace(authority, board, order, first));
        assertThat(second.bundle().serial()).isNotEqualTo(first.bundle().serial());
        assertThat(second.bundle().privateKey())
                .as("a new key")
                .isNotEqualTo(first.bundle().privateKey());
        // The CA refuses a second replacement of the first; the order is made without saying so.
        issued(replace(authority, board, order, first));
    }

    @Test
    void aRevokedCertificateIsReplaced() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main").withProfile("default"));
        CertificateOrder order = order("shop.example");
        StoredCertificate first = issued(run(authority, board, order));
        authority.revoke(leaf(first), false);
        assertThat(pebble.status(leaf(first))).contains("Revoked");
        assertThat(plan(order, first, authority.window(leaf(first)), CLOCK.instant()))
                .isInstanceOf(RenewalPlan.Renew.class);
        StoredCertificate second = issued(replace(authority, board, order, first));
        assertThat(pebble.status(leaf(second))).contains("Valid");
    }

    @Test
    void theAccountsKeyIsChanged() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        issued(run(authority, board, order("shop.example")));
        StoredAccount before = account(authority);
        authority.changeAccountKey();
        StoredAccount after = account(authority);
        assertThat(after.key()).isNotEqualTo(before.key());
        assertThat(after.location()).isEqualTo(before.location());
        issued(run(authority, board, order("other.example")));
    }

    @Test
    void aChangeOfTheAccountsKeyThatWasCutOffIsSettled() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        issued(run(authority, board, order("shop.example")));
        StoredAccount old = account(authority);
        // Cut off before the CA was told.
        store.save(old.changingTo(KeyMaterial.generate(KeyAlgorithm.EC_P256)));
        issued(run(authority, board, order("a.example")));
        assertThat(account(authority)).isEqualTo(old);
        // Cut off after the CA was told.
        authority.changeAccountKey();
        StoredAccount changed = account(authority);
        store.save(old.changingTo(changed.key()));
        issued(run(authority, board, order("b.example")));
        assertThat(account(authority)).isEqualTo(changed);
    }

    @Test
    void aCaThatForgotTheAccountIsRegisteredWithAgain() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        issued(run(authority, board, order("shop.example")));
        StoredAccount before = account(authority);
        pebble.kill();
        pebble.restart();
        issued(run(authority, board, order("shop.example")));
        assertThat(account(authority).key()).isEqualTo(before.key());
        assertThat(account(authority).location()).isNotEqualTo(before.location());
    }

    @Test
    void thePreferredChainIsChosen() throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving().withAlternateRoots(2));
        String wanted = commonName(pebble.root(2));
        StoredCertificate issued =
                issued(
                        run(
                                authority(pebble.issuer("main").withPreferredChain(wanted)),
                                board(pebble),
                                order("shop.example")));
        X509Certificate top = certificate(issued.bundle().chain().getLast());
        assertThat(top.getIssuerX500Principal().getName()).contains(wanted);
    }

    @ParameterizedTest
    @EnumSource(Station.class)
    void anOrderThatIsCutOffAnywhereGoesOn(Station station) throws Exception {
        PebbleServer pebble = pebble(PebbleServer.behaving());
        TestBoard board = board(pebble);
        CertificateAuthority authority = authority(pebble.issuer("main"));
        CertificateOrder order = order("shop.example");
        var runner = new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES);
        var request = new OrderRequest(ID, order, Optional.empty());
        try {
            Outcome unexpected =
                    runner.run(
                            authority,
                            request,
                            reached -> {
                                if (reached == station) {
                                    throw new CutOff();
                                }
                            });
            throw new AssertionError("not cut off: " + unexpected);
        } catch (CutOff expected) {
            // As kill -9 would: nothing is tidied up that had not been before.
        }
        StoredAccount account = account(authority);
        Optional<StoredOrder> left = read(store.order(ID));
        StoredCertificate issued = issued(runner.run(authority, request, Progress.IGNORED));
        assertThat(account(authority).key()).isEqualTo(account.key());
        left.ifPresent(order1 ->
                assertThat(leaf(issued).getPublicKey().getEncoded())
                        .as("the key that was stored")
                        .isEqualTo(order1.key().spki()));
        assertThat(store.orders()).isEmpty();
    }

    /** In place of a crash. */
    private static final class CutOff extends Error {
        private static final long serialVersionUID = 1;

        CutOff() {
            super("cut off", null, false, false);
        }
    }

    private <T extends AutoCloseable> T kept(T opened) {
        open.add(opened);
        return opened;
    }

    private PebbleServer pebble(PebbleServer.Behaviour behaviour) {
        return kept(PebbleServer.start(folder.resolve("pebble" + open.size()), behaviour));
    }

    private TestBoard board(PebbleServer pebble) throws Exception {
        return kept(new TestBoard(pebble));
    }

    private CertificateAuthority authority(IssuerDraft draft) {
        return kept(CertificateAuthority.of(TestIssuers.usable(draft), store, CLOCK));
    }

    private Outcome run(CertificateAuthority authority, TestBoard board, CertificateOrder order)
            throws InterruptedException {
        return new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES)
                .run(authority, new OrderRequest(ID, order, Optional.empty()), Progress.IGNORED);
    }

    private Outcome replace(
            CertificateAuthority authority,
            TestBoard board,
            CertificateOrder order,
            StoredCertificate before)
            throws InterruptedException {
        return new OrderRunner(store, board, CLOCK, Pause.PARKED, TIMES)
                .run(
                        authority,
                        new OrderRequest(ID, order, Optional.of(leaf(before))),
                        Progress.IGNORED);
    }

    private static RenewalPlan plan(
            CertificateOrder order,
            StoredCertificate current,
            Optional<RenewalWindow> window,
            Instant now) {
        return plan(
                order,
                List.of(current.issuer()),
                Optional.of(CurrentCertificate.of(leaf(current), current.issuer(), true)),
                window,
                List.of(),
                now);
    }

    private static RenewalPlan plan(
            CertificateOrder order,
            List<String> issuers,
            Optional<CurrentCertificate> current,
            Optional<RenewalWindow> window,
            List<Failure> failures,
            Instant now) {
        return RenewalPlan.of(
                new Situation(
                        new Demand.Wanted(order, issuers),
                        current,
                        window,
                        failures,
                        new OrderLedger(Map.of(issuers.getFirst(), RateLimits.with(List.of()))),
                        RenewalRules.STANDARD,
                        Optional.empty(),
                        1,
                        now));
    }

    private static CertificateOrder order(String... names) {
        return CertificateOrder.of(
                List.of(names).stream().map(Identifier::parse).toList(), KeyAlgorithm.EC_P256);
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

    private StoredAccount account(CertificateAuthority authority) {
        return read(store.account(authority.issuer())).orElseThrow();
    }

    private StoredOrder inProgress() {
        return read(store.order(ID)).orElseThrow();
    }

    private StoredCertificate stored() {
        return read(store.certificate(ID)).orElseThrow();
    }

    private static <T> Optional<T> read(Parsed<Optional<T>> parsed) {
        return switch (parsed) {
            case Parsed.Usable<Optional<T>> usable -> usable.value();
            case Parsed.Rejected<Optional<T>> rejected ->
                    throw new AssertionError(rejected.findings());
        };
    }

    private static X509Certificate leaf(StoredCertificate stored) {
        return certificate(stored.bundle().chain().getFirst());
    }

    private static X509Certificate certificate(byte[] encoded) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(encoded));
        } catch (CertificateException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String commonName(String pem) {
        String name =
                certificate(pem.getBytes(StandardCharsets.US_ASCII))
                        .getSubjectX500Principal()
                        .getName();
        return name.substring(name.indexOf("CN=") + 3);
    }
}
