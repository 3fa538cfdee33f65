package dev.sallyport.acme.keep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.CertificateKeeper.Answer;
import dev.sallyport.acme.order.OrderTimes;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.RateLimit;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalRules;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredOrder;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class KeeperTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final Duration DAY = Duration.ofDays(1);
    private static final Issuer FIRST = issuer("first", "https://first.example/dir");
    private static final Issuer SECOND = issuer("second", "https://second.example/dir");
    private static final CertificateId SHOP = new CertificateId("shop.example");
    private static final CertificateId BLOG = new CertificateId("blog.example");

    private final SetClock clock = new SetClock(NOW);
    private final MemoryStore store = new MemoryStore();
    private final FakeCas cas = new FakeCas(store, clock);
    private final List<CertificateKeeper> open = new ArrayList<>();
    private final List<StoredChange> changes = new CopyOnWriteArrayList<>();
    private List<Wish> wishes = List.of();
    private int barriers;

    /** What is waited for takes no longer; hundreds of times a tenth of a second would. */
    @BeforeAll
    static void lookOften() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
        Awaitility.setDefaultPollDelay(Duration.ZERO);
        Awaitility.setDefaultPollInterval(Duration.ofMillis(2));
    }

    @AfterAll
    static void lookAsUsual() {
        Awaitility.reset();
    }

    @AfterEach
    void close() {
        open.forEach(CertificateKeeper::close);
    }

    @Test
    void issuesWhatIsWanted() {
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP), wish(BLOG));
        eventually(keeper, SHOP, KeeperTest::isKept);
        Kept blog = eventually(keeper, BLOG, KeeperTest::isKept);
        assertThat(store.certificates).containsOnlyKeys("shop.example", "blog.example");
        assertThat(blog.current().orElseThrow().issuer()).isEqualTo("first");
        assertThat(blog.serial()).isNotEmpty();
        assertThat(blog.order()).contains(wish(BLOG).order());
        assertThat(blog.plan().why()).isInstanceOf(Why.Lifetime.class);
        assertThat(blog.underWay()).isEmpty();
        assertThat(changes).hasSize(2).allMatch(it -> it instanceof StoredChange.Put);
        KeeperState state = keeper.state();
        assertThat(state.leads()).isTrue();
        assertThat(state.trouble()).isEmpty();
        assertThat(state.counts()).isEqualTo(new KeeperState.Counts(2, 2, Map.of()));
        assertThat(state.issuers().getFirst().requests()).isEqualTo(20);
        assertThat(begun(keeper)).isEqualTo(2);
    }

    @Test
    void showsHowFarAnOrderIsAndWhoTheAccountIs() {
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP));
        Kept shop =
                eventually(keeper, SHOP, it -> it.underWay().equals(Optional.of(Station.ORDERED)));
        assertThat(shop.orderedAt()).contains("first");
        assertThat(shop.plan()).isInstanceOf(RenewalPlan.Issue.class);
        URI account = URI.create("https://first.example/acct/1");
        store.accounts.put(
                "first",
                new StoredAccount(
                        "first",
                        FIRST.directory(),
                        KeyMaterial.generate(KeyAlgorithm.EC_P256),
                        Optional.empty(),
                        Optional.of(account)));
        cas.letGo(1);
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(keeper.state().issuers().getFirst().account()).contains(account);
        assertThat(keeper.state().issuers().get(1).account()).isEmpty();
    }

    @Test
    void theMostUrgentComesFirstAndOneAfterTheOther() {
        stored(SHOP, NOW.minus(Duration.ofDays(80)));
        stored(BLOG, NOW.minus(Duration.ofDays(85)));
        var fresh = new CertificateId("zoo.example");
        CertificateKeeper keeper = keeper(settings(1));
        keeper.lead(true);
        cas.hold();
        want(keeper, wish(SHOP), wish(BLOG), wish(fresh));
        await().until(() -> cas.orders.size() == 1);
        assertThat(begun(keeper)).isEqualTo(1);
        cas.letGo(3);
        await().until(() -> keeper.state().counts().issued() == 3);
        assertThat(cas.orders)
                .extracting(FakeCas.Asked::id)
                .containsExactly("zoo.example", "blog.example", "shop.example");
        assertThat(cas.mostAtOnce).hasValue(1);
    }

    @Test
    void nomoreOrdersAtOnceThanAllowed() {
        CertificateKeeper keeper = keeper(settings(3));
        keeper.lead(true);
        cas.hold();
        want(keeper, many(12));
        await().until(() -> cas.orders.size() == 3);
        assertThat(begun(keeper)).isEqualTo(3);
        cas.letGo(12);
        await().until(() -> keeper.state().counts().issued() == 12);
        assertThat(cas.mostAtOnce).hasValue(3);
    }

    @Tag("slow")
    @Test
    void manyAreShownInTime() {
        CertificateKeeper keeper = leading();
        want(keeper, many(600));
        await().until(() -> {
            clock.pass(Duration.ofMillis(100));
            poke(keeper);
            return keeper.state().certificates().stream().filter(KeeperTest::isKept).count() == 600;
        });
        assertThat(cas.mostAtOnce.get()).isLessThanOrEqualTo(KeeperSettings.ORDERS_AT_ONCE);
    }

    @Test
    void renewsWhenMostOfTheLifetimeHasPassed() {
        CertificateKeeper keeper = leadingWith(SHOP);
        pass(keeper, Duration.ofDays(50));
        assertThat(begun(keeper)).isEqualTo(1);
        pass(keeper, Duration.ofDays(11));
        await().until(() -> keeper.state().counts().issued() == 2);
        assertThat(cas.orders.getLast().request().replaces()).isEmpty();
        Kept shop = eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(shop.current().orElseThrow().notBefore()).isEqualTo(clock.instant());
    }

    @Test
    void renewsWithinTheWindowThatTheCaGives() {
        Instant start = NOW.plus(Duration.ofDays(30));
        cas.window = window(start, start.plus(DAY), NOW.plus(Duration.ofHours(3)));
        CertificateKeeper keeper = leadingWith(SHOP);
        pass(keeper, Duration.ofSeconds(11));
        Kept shop = eventually(keeper, SHOP, it -> it.window().isPresent());
        assertThat(shop.plan().why()).isInstanceOf(Why.Window.class);
        assertThat(cas.windowsAsked).hasSize(1);
        pass(keeper, Duration.ofHours(2));
        assertThat(begun(keeper)).isEqualTo(1);
        assertThat(cas.windowsAsked).hasSize(1);
        pass(keeper, Duration.ofHours(1));
        await().until(() -> cas.windowsAsked.size() == 2);
        clock.set(start.minusSeconds(1));
        assertThat(begun(keeper)).isEqualTo(1);
        clock.set(start.plus(DAY));
        poke(keeper);
        await().until(() -> keeper.state().counts().issued() == 2);
        assertThat(
                        cas.orders
                                .getLast()
                                .request()
                                .replaces()
                                .map(it -> it.getNotBefore().toInstant()))
                .contains(NOW);
    }

    @Test
    void whatTheCaWithdrewIsReplacedAtOnce() {
        CertificateKeeper keeper = leadingWith(SHOP);
        cas.window = window(NOW.minus(DAY), NOW.minusSeconds(60), NOW.plus(DAY));
        pass(keeper, Duration.ofSeconds(11));
        await().until(() -> keeper.state().counts().issued() == 2);
        assertThat(cas.windowsAsked).hasSize(1);
    }

    @Test
    void aCaThatSaysNothingOfWindowsIsAskedAgainLater() {
        cas.windowFails = true;
        CertificateKeeper keeper = leadingWith(SHOP);
        pass(keeper, Duration.ofSeconds(11));
        await().until(() -> cas.windowsAsked.size() == 1);
        cas.windowFails = false;
        awaitAskedAgain(keeper, Duration.ofHours(1), 2);
        awaitAskedAgain(keeper, RenewalRules.STANDARD.lookAgain(), 3);
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void windowsAreAskedForAfterAStart() {
        stored(SHOP, NOW.minus(DAY));
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.windowsAsked).isEmpty();
        pass(keeper, Duration.ofSeconds(11));
        await().until(() -> cas.windowsAsked.size() == 1);
    }

    @Test
    void whatFailedIsTriedAgainAndThenAtTheNextIssuer() {
        CertificateKeeper keeper = leading();
        cas.fail("first", notFound("500"), notFound("501"));
        want(keeper, wish(SHOP));
        Kept shop = eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        assertThat(shop.plan().why().text()).contains("failed 1 time at first: 500");
        Instant until = ((RenewalPlan.WaitUntil) shop.plan()).until();
        assertThat(until).isBetween(NOW.plusSeconds(120), NOW.plusSeconds(144));
        assertThat(begun(keeper)).isEqualTo(1);
        clock.set(until);
        poke(keeper);
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders)
                .extracting(FakeCas.Asked::issuer)
                .containsExactly("first", "first", "second");
        assertThat(keeper.state().counts())
                .isEqualTo(new KeeperState.Counts(3, 1, Map.of("ValidationFailed", 2L)));
        assertThat(certificate(keeper, SHOP).orElseThrow().failures()).isEmpty();
    }

    @Test
    void whatHasNoCertificateDoesNotWaitForACaThatIsAway() {
        cas.failsEarly = true;
        CertificateKeeper keeper = leading();
        cas.fail("first", new Cause.CaTrouble("500"));
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).extracting(FakeCas.Asked::issuer).containsExactly("first", "second");
    }

    @Test
    void anOrderThatOnlyHasToBeGoneOnWithIsGivenAnotherTry() {
        CertificateKeeper keeper = leading();
        cas.fail("first", new Cause.Unreachable("away"), new Cause.Unreachable("away"));
        store.orders.put("shop.example", orderAt(FIRST, SHOP));
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        assertThat(begun(keeper)).isEqualTo(1);
        cas.resumes = true;
        pass(keeper, Duration.ofSeconds(73));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders)
                .extracting(FakeCas.Asked::issuer)
                .as("often enough is enough")
                .containsExactly("first", "first", "second");
        assertThat(cas.abandoned)
                .as("what is written over")
                .containsExactly("first " + FIRST.directory().resolve("/order/9"));
    }

    @Test
    void aCaThatMadeNoOrderHasNoneThatCounts() {
        cas.failsEarly = true;
        CertificateKeeper keeper = keeper(settings(50, limit(1, RateLimit.Scope.ACCOUNT)));
        keeper.lead(true);
        cas.fail("first", new Cause.Unreachable("away"), new Cause.CaTrouble("500"));
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        pass(keeper, Duration.ofHours(1));
        eventually(keeper, SHOP, it -> it.failures().size() == 2 && waits(it));
        pass(keeper, Duration.ofHours(2));
        eventually(keeper, SHOP, KeeperTest::isKept);
    }

    @Test
    void aCaThatMayHaveMadeAnOrderHasOneThatCountsButNoCertificate() {
        cas.failsEarly = true;
        CertificateKeeper keeper = keeper(settings(50, limit(1, RateLimit.Scope.ACCOUNT)));
        keeper.lead(true);
        cas.fail("first", new Cause.Unreachable(true, "no answer"));
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        pass(keeper, Duration.ofHours(1));
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isInstanceOf(Why.Limited.class);
        keeper.close();

        keeper = keeper(settings(50, limit(1, RateLimit.Scope.SAME_IDENTIFIERS)));
        keeper.lead(true);
        cas.fail("first", new Cause.Unreachable(true, "no answer"));
        want(keeper, wish(BLOG, "first"));
        eventually(keeper, BLOG, it -> it.failures().size() == 1 && waits(it));
        pass(keeper, Duration.ofHours(1));
        eventually(keeper, BLOG, KeeperTest::isKept);
    }

    /** Its authorizations are not to count, nor to be taken up by the new one. */
    @Test
    void anOrderThatIsNotTheOneWantedAnyMoreIsGivenUpBeforeTheNextAtTheSameIssuer() {
        store.orders.put("shop.example", orderAt(FIRST, SHOP));
        cas.abandonHeld = true;
        CertificateKeeper keeper = leading();
        want(
                keeper,
                new Wish(
                        SHOP,
                        CertificateOrder.of(
                                List.of(Identifier.parse("shop.example")), KeyAlgorithm.EC_P384),
                        List.of("first"),
                        Optional.empty(),
                        Prospect.NONE));
        await().until(() -> !cas.abandoned.isEmpty());
        assertThat(cas.abandoned).containsExactly("first " + FIRST.directory().resolve("/order/9"));
        assertThat(begun(keeper)).isZero();
        cas.abandons.release();
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void anOrderThatIsGoneOnWithCountsOnce() {
        CertificateKeeper keeper = keeper(settings(50, limit(1)));
        keeper.lead(true);
        cas.fail("first", new Cause.NotPresented("not yet"));
        store.orders.put("shop.example", orderAt(FIRST, SHOP));
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        cas.resumes = true;
        pass(keeper, Duration.ofSeconds(10));
        eventually(keeper, SHOP, KeeperTest::isKept);
        cas.resumes = false;
        keeper.renew(SHOP);
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isInstanceOf(Why.Limited.class);
        pass(keeper, DAY);
        await().until(() -> keeper.state().counts().issued() == 2);
    }

    @Test
    void whereOnlyPeopleHelpTheNextIssuerIsAskedAtOnce() {
        CertificateKeeper keeper = leading();
        cas.fail("first", new Cause.AccountRefused(Optional.empty(), "terms changed"));
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).extracting(FakeCas.Asked::issuer).containsExactly("first", "second");
    }

    @Test
    void ourOwnLimitHoldsBack() {
        CertificateKeeper keeper = keeper(settings(50, limit(1)));
        keeper.lead(true);
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(keeper.renew(SHOP)).isEqualTo(Answer.ACCEPTED);
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isInstanceOf(Why.Limited.class);
        assertThat(begun(keeper)).isEqualTo(1);
        pass(keeper, DAY);
        await().until(() -> keeper.state().counts().issued() == 2);
    }

    @Test
    void anAccountThatTheCaStoppedAsksForNothing() {
        CertificateKeeper keeper = leading();
        Instant until = NOW.plus(Duration.ofHours(2));
        cas.fail("first", new Cause.RateLimited(Optional.of(until), true, "too many"));
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, KeeperTest::waits);
        want(keeper, wish(SHOP, "first"), wish(BLOG, "first"));
        Kept blog = eventually(keeper, BLOG, KeeperTest::waits);
        assertThat(((RenewalPlan.WaitUntil) blog.plan()).until()).isEqualTo(until);
        assertThat(begun(keeper)).isEqualTo(1);
        clock.set(until.plus(Duration.ofHours(1)));
        poke(keeper);
        await().until(() -> keeper.state().counts().issued() == 2);
    }

    @Test
    void whatNobodyWantsIsNotRenewedAndRemovedAfterAWhile() {
        CertificateKeeper keeper = leadingWith(SHOP);
        pass(keeper, Duration.ofDays(50));
        want(keeper);
        Kept gone = eventually(keeper, SHOP, it -> it.order().isEmpty());
        assertThat(gone.plan().why()).isInstanceOf(Why.HostGone.class);
        assertThat(keeper.renew(SHOP)).isEqualTo(Answer.UNKNOWN);
        pass(keeper, Duration.ofDays(6));
        assertThat(begun(keeper)).isEqualTo(1);
        assertThat(store.certificates).containsKey("shop.example");
        pass(keeper, DAY);
        await().until(() -> certificate(keeper, SHOP).isEmpty());
        assertThat(store.certificates).doesNotContainKey("shop.example");
        assertThat(changes).contains(new StoredChange.Removed(SHOP));
    }

    @Test
    void whatIsWantedAgainInTimeIsKept() {
        CertificateKeeper keeper = leadingWith(SHOP);
        want(keeper);
        eventually(keeper, SHOP, it -> it.order().isEmpty());
        pass(keeper, Duration.ofDays(6));
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, it -> it.order().isPresent());
        pass(keeper, Duration.ofDays(6));
        assertThat(begun(keeper)).isEqualTo(1);
        assertThat(store.certificates).containsKey("shop.example");
    }

    @Test
    void whatIsStoredAndNotWantedGoesToo() {
        stored(SHOP, NOW);
        CertificateKeeper keeper = leading();
        want(keeper, wish(BLOG));
        eventually(keeper, SHOP, it -> it.order().isEmpty());
        pass(keeper, Duration.ofDays(7));
        await().until(() -> store.certificates.keySet().equals(Set.of("blog.example")));
    }

    @Test
    void whatOthersServeIsNotOrdered() {
        Instant until = NOW.plus(Duration.ofDays(5));
        CertificateKeeper keeper = leading();
        want(keeper, served(SHOP, until), served(BLOG, until));
        Kept shop = eventually(keeper, SHOP, _ -> true);
        assertThat(shop.plan().why()).isEqualTo(new Why.ServedByOthers(until));
        assertThat(shop.servedUntil()).contains(until);
        assertThat(begun(keeper)).isZero();
        want(keeper, served(SHOP, until), wish(BLOG));
        eventually(keeper, BLOG, it -> it.current().isPresent());
        assertThat(begun(keeper)).isEqualTo(1);
        clock.set(until);
        poke(keeper);
        eventually(keeper, SHOP, it -> it.current().isPresent());
    }

    /** Whoever applies an Ingress and then its Secret finds nothing ordered. */
    @Test
    void aFirstOrderWaitsForAMomentWhereASecretIsNamed() {
        CertificateKeeper keeper = leading();
        want(keeper, expected(SHOP), expected(BLOG));
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isEqualTo(new Why.OthersExpected());
        pass(keeper, Duration.ofMillis(900));
        assertThat(begun(keeper)).isZero();
        want(keeper, served(SHOP, NOW.plus(DAY)), expected(BLOG));
        pass(keeper, Duration.ofMillis(200));
        eventually(keeper, BLOG, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(1);
        want(keeper, expected(SHOP), expected(BLOG)); // deleted, and perhaps to be created again
        eventually(keeper, SHOP, KeeperTest::waits);
        pass(keeper, Duration.ofSeconds(1));
        eventually(keeper, SHOP, KeeperTest::isKept);
    }

    /** An order that is half done is not thrown away meanwhile, and is gone on with. */
    @Test
    void nothingIsOrderedWhileASecretIsStillLookedFor() {
        var zoo = new CertificateId("zoo.example");
        store.orders.put("blog.example", orderAt(FIRST, BLOG));
        cas.resumes = true;
        CertificateKeeper keeper = leading();
        want(keeper, awaited(SHOP), awaited(BLOG));
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isEqualTo(new Why.OthersAwaited());
        eventually(keeper, BLOG, KeeperTest::isKept);
        pass(keeper, Duration.ofMinutes(4));
        assertThat(begun(keeper)).isEqualTo(1);
        want(keeper, wish(SHOP), awaited(BLOG), awaited(zoo)); // there is none
        eventually(keeper, SHOP, KeeperTest::isKept);
        eventually(keeper, zoo, KeeperTest::waits);
        pass(keeper, Duration.ofMinutes(5)); // an API server that never says
        eventually(keeper, zoo, KeeperTest::isKept);
    }

    /** Ours would be served instead of a wildcard: it must not expire while others serve. */
    @Test
    void whatOthersServeIsNotRenewedButGoesBeforeItExpires() {
        CertificateKeeper keeper = leadingWith(SHOP);
        want(keeper, served(SHOP, NOW.plus(Duration.ofDays(300))));
        pass(keeper, Duration.ofDays(50));
        assertThat(begun(keeper)).isEqualTo(1);
        assertThat(store.certificates).containsKey("shop.example");
        pass(keeper, Duration.ofDays(11));
        Kept gone = eventually(keeper, SHOP, it -> it.current().isEmpty());
        assertThat(gone.plan().why()).isInstanceOf(Why.ServedByOthers.class);
        assertThat(store.certificates).doesNotContainKey("shop.example");
        assertThat(changes).contains(new StoredChange.Removed(SHOP));
        assertThat(begun(keeper)).isEqualTo(1);
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, it -> it.current().isPresent());
    }

    @Test
    void whatAnotherCaIssuedIsNotSentToTheOneThatHasItsIssuersNameNow() {
        Issuer before = issuer("first", "https://moved.example/dir");
        store.certificates.put(
                "shop.example",
                cas.certificate(SHOP, order("shop.example"), before, NOW.minusSeconds(3_600)));
        cas.hold(); // another is ordered at once
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, it -> it.current().isPresent());
        assertThat(keeper.revoke(SHOP, false)).isEqualTo(Answer.FOREIGN);
        assertThat(keeper.revoke(BLOG, false)).isEqualTo(Answer.UNKNOWN);
        assertThat(cas.revoked).isEmpty();
    }

    @Test
    void whatSomebodyRemovedFromTheStoreIsOrderedAnew() {
        CertificateKeeper keeper = leadingWith(SHOP);
        keeper.look(SHOP);
        keeper.look(BLOG);
        assertThat(begun(keeper)).as("it is all there").isEqualTo(1);
        store.certificates.remove("shop.example");
        keeper.look(SHOP);
        await().until(() -> keeper.state().counts().issued() == 2);
        assertThat(store.certificates).containsKey("shop.example");
    }

    /** Whoever decided before stored the certificate, and had no time to remove its order. */
    @Test
    void anOrderThatIsDoneIsRemovedAndNoOther() throws Exception {
        stored(SHOP, NOW);
        stored(BLOG, NOW);
        store.save(orderWith(SHOP, keyOf(SHOP)));
        store.save(orderWith(BLOG, KeyMaterial.generate(KeyAlgorithm.EC_P256)));
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP), wish(BLOG));
        eventually(keeper, SHOP, KeeperTest::isKept);
        eventually(keeper, BLOG, KeeperTest::isKept);
        assertThat(store.orders).containsOnlyKeys("blog.example");
    }

    private KeyMaterial keyOf(CertificateId id) throws Exception {
        StoredCertificate stored = Objects.requireNonNull(store.certificates.get(id.text()));
        byte[] spki = stored.leaf().getPublicKey().getEncoded();
        byte[] pkcs8 = stored.bundle().privateKey().use(byte[]::clone);
        return KeyMaterial.of(pkcs8, spki);
    }

    private static StoredOrder orderWith(CertificateId id, KeyMaterial key) {
        return new StoredOrder(
                id, FIRST.name(), FIRST.directory(), wish(id).order(), key, Optional.empty(), NOW);
    }

    @Test
    void whoDoesNotLeadOnlyWatches() {
        CertificateKeeper other = keeper(settings(50));
        want(other, wish(SHOP));
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(other.state().leads()).isFalse();
        assertThat(other.state().certificates()).isEmpty();
        assertThat(other.state().counts().begun()).isZero();
        assertThat(other.renew(SHOP)).isEqualTo(Answer.NOT_LEADING);
        assertThat(other.revoke(SHOP, true)).isEqualTo(Answer.NOT_LEADING);
    }

    @Test
    void anOrderIsTakenOverWhereItIs() {
        CertificateKeeper before = leading();
        CertificateKeeper after = keeper(settings(50));
        cas.hold();
        want(before, wish(SHOP));
        want(after, wish(SHOP));
        await().until(() -> cas.orders.size() == 1);
        before.lead(false);
        await().until(() -> cas.interrupted.equals(List.of("shop.example")));
        await().until(() -> !before.state().leads());
        assertThat(before.state().certificates()).isEmpty();
        assertThat(store.certificates).isEmpty();
        cas.letGo(1);
        after.lead(true);
        eventually(after, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).hasSize(2);
        before.lead(true);
        eventually(before, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).hasSize(2);
    }

    @Test
    void whatIsAskedForIsRenewedNow() {
        CertificateKeeper keeper = leadingWith(SHOP);
        assertThat(keeper.renew(BLOG)).isEqualTo(Answer.UNKNOWN);
        assertThat(keeper.revoke(BLOG, false)).isEqualTo(Answer.UNKNOWN);
        assertThat(keeper.renew(SHOP)).isEqualTo(Answer.ACCEPTED);
        await().until(() -> keeper.state().counts().issued() == 2);
        assertThat(begun(keeper)).isEqualTo(2);
    }

    @Test
    void whatWasAskedForAndFailedWaitsAsUsual() {
        CertificateKeeper keeper = leadingWith(SHOP);
        cas.fail("first", new Cause.CaTrouble("500"));
        keeper.renew(SHOP);
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && isKept(it));
        assertThat(begun(keeper)).isEqualTo(2);
    }

    @Test
    void whatIsRevokedIsReplaced() {
        CertificateKeeper keeper = leadingWith(SHOP);
        String serial = certificate(keeper, SHOP).orElseThrow().serial();
        assertThat(keeper.revoke(SHOP, true)).isEqualTo(Answer.ACCEPTED);
        eventually(keeper, SHOP, it -> isKept(it) && !it.serial().equals(serial));
        assertThat(cas.revoked).hasSize(1);
        assertThat(begun(keeper)).isEqualTo(2);
    }

    /** Also by whoever decides next: what failed did not end it. */
    @Test
    void whatIsRevokedIsReplacedThoughTheFirstOrderFails() {
        CertificateKeeper keeper = leadingWith(SHOP);
        String serial = certificate(keeper, SHOP).orElseThrow().serial();
        cas.fail("first", new Cause.CaTrouble("500"));
        keeper.revoke(SHOP, true);
        Kept failed = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(failed.serial()).isEqualTo(serial);
        pass(keeper, Duration.ofSeconds(2)); // until it is remembered
        begun(keeper);
        keeper.close();
        CertificateKeeper next = leading();
        want(next, wish(SHOP));
        eventually(next, SHOP, it -> !it.serial().isEmpty());
        pass(next, DAY);
        eventually(next, SHOP, it -> isKept(it) && !it.serial().equals(serial));
    }

    /** However often a process ends in the middle of an order, the CA's limits are not used up. */
    @Test
    void goingOnWithAnOrderDoesNotCount() {
        cas.resumes = true;
        CertificateKeeper keeper = keeper(settings(50, limit(1)));
        keeper.lead(true);
        cas.fail("first", new Cause.NotPresented("not yet"), new Cause.Unreachable("away"));
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        pass(keeper, DAY);
        eventually(keeper, SHOP, it -> it.failures().size() == 2 && waits(it));
        pass(keeper, DAY);
        eventually(keeper, SHOP, KeeperTest::isKept);
    }

    @Test
    void whatCannotBeRevokedStays() {
        CertificateKeeper keeper = leadingWith(SHOP);
        cas.revocationFails = true;
        keeper.revoke(SHOP, false);
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void whatIsRevokedAndNotWantedGoes() {
        CertificateKeeper keeper = leadingWith(SHOP);
        want(keeper);
        eventually(keeper, SHOP, it -> it.order().isEmpty());
        keeper.revoke(SHOP, false);
        await().until(() -> certificate(keeper, SHOP).isEmpty());
        assertThat(store.certificates).isEmpty();
    }

    @Test
    void aStoreThatCannotBeReadIsToldAndTriedAgain() {
        store.unreadable = true;
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        await().until(() -> keeper.state().trouble().isPresent());
        assertThat(keeper.state().trouble().orElseThrow()).contains("the disk is asleep");
        pass(keeper, Duration.ofSeconds(2));
        assertThat(cas.orders).isEmpty();
        store.unreadable = false;
        pass(keeper, Duration.ofMinutes(1));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(keeper.state().trouble()).isEmpty();
    }

    @Test
    void aStoreThatCannotBeWrittenIsToldAndTriedAgainAtLeisure() {
        CertificateKeeper keeper = leadingWith(SHOP);
        want(keeper);
        eventually(keeper, SHOP, it -> it.order().isEmpty());
        store.unwritable = true;
        pass(keeper, Duration.ofDays(7));
        await().until(() -> keeper.state().trouble().isPresent());
        assertThat(keeper.state().trouble().orElseThrow()).contains("the disk is full");
        pass(keeper, Duration.ofSeconds(30));
        begun(keeper);
        long reads = clock.reads();
        begun(keeper);
        // An idle thread looks at the clock some times for each command; one that spins, thousands.
        assertThat(clock.reads() - reads).isLessThan(200);
        store.unwritable = false;
        pass(keeper, Duration.ofMinutes(1));
        await().until(() -> certificate(keeper, SHOP).isEmpty());
        await().until(() -> keeper.state().trouble().isEmpty());
    }

    @Test
    void anOrderThatCannotBeStoredIsTriedAgain() {
        store.unwritable = true;
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        Kept shop = eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        assertThat(shop.plan().why().text()).contains("the disk is full");
        store.unwritable = false;
        pass(keeper, Duration.ofSeconds(10));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).extracting(FakeCas.Asked::issuer).containsOnly("first");
    }

    @Test
    void aDamagedCertificateIsToldAndNotWrittenOver() {
        stored(SHOP, NOW);
        store.damaged.add("shop.example");
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP));
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why().text()).contains("bits fell over");
        assertThat(begun(keeper)).isZero();
        store.damaged.clear();
        pass(keeper, Duration.ofMinutes(10));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(begun(keeper)).isZero();
    }

    @Test
    void whatIsNoCertificateOfOursIsLeftAlone() {
        store.damaged.add("NOT OURS");
        CertificateKeeper keeper = leadingWith(SHOP);
        assertThat(keeper.state().certificates()).hasSize(1);
    }

    @Test
    void anIssuerThatIsAnotherByNowIssuesAnew() {
        Issuer before = issuer("first", "https://before.example/dir");
        store.certificates.put(
                "shop.example", cas.certificate(SHOP, wish(SHOP).order(), before, NOW));
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP));
        Kept shop = eventually(keeper, SHOP, it -> it.underWay().isPresent());
        assertThat(shop.plan().why())
                .isEqualTo(new Why.IssuerChanged("https://before.example/dir"));
        cas.letGo(1);
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void anIssuerThatIsNotConfiguredIsSaid() {
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP, "third"));
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(shop.plan().why()).isEqualTo(new Why.NoIssuer(List.of("third")));
        assertThat(keeper.renew(SHOP)).isEqualTo(Answer.NO_ISSUER);
        assertThat(keeper.revoke(SHOP, false)).isEqualTo(Answer.NOT_ISSUED);
        want(keeper, wish(SHOP, "third", "second"));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.orders).extracting(FakeCas.Asked::issuer).containsExactly("second");
    }

    @Test
    void otherNamesAreOrderedInThePlaceOfThoseUnderWay() {
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP));
        await().until(() -> cas.orders.size() == 1);
        Wish wider =
                new Wish(
                        SHOP,
                        order("shop.example", "www.shop.example"),
                        List.of("first"),
                        Optional.empty(),
                        Prospect.NONE);
        want(keeper, wider);
        await().until(() -> cas.interrupted.size() == 1);
        cas.letGo(1);
        Kept shop = eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(shop.current().orElseThrow().identifiers()).hasSize(2);
        assertThat(cas.orders).hasSize(2);
    }

    @Test
    void whatIsGoneIsNotOrderedToItsEnd() {
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP));
        await().until(() -> cas.orders.size() == 1);
        want(keeper);
        await().until(() -> certificate(keeper, SHOP).isEmpty());
        assertThat(cas.interrupted).containsExactly("shop.example");
        cas.letGo(1);
        want(keeper, wish(BLOG));
        eventually(keeper, BLOG, KeeperTest::isKept);
    }

    @Test
    void theCaIsToldOfAnOrderThatNobodyGoesOnWith() {
        CertificateKeeper keeper = leadingWith(SHOP);
        cas.hold();
        assertThat(keeper.renew(SHOP)).isEqualTo(Answer.ACCEPTED);
        await().until(() -> cas.orders.size() == 2);
        URI order = URI.create("https://first.example/order/2");
        KeyMaterial key = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        store.orders.put("shop.example", orderWith(SHOP, key).at(order));
        want(keeper);
        await().until(() -> !cas.abandoned.isEmpty());
        assertThat(cas.abandoned).containsExactly("first " + order);
        assertThat(store.orders).isEmpty();
        assertThat(store.certificates).as("kept for a while").containsOnlyKeys("shop.example");
    }

    @Test
    void aHostThatComesBackIsNotOrderedWhileItsOrderIsGivenUp() {
        CertificateKeeper keeper = givingUp();
        want(keeper, wish(SHOP), wish(BLOG));
        eventually(keeper, BLOG, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(1);
        cas.abandons.release();
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(2);
    }

    @Test
    void givingUpEndsWithTheLead() {
        CertificateKeeper keeper = givingUp();
        keeper.lead(false);
        await().until(() -> !cas.notAbandoned.isEmpty());
        keeper.lead(true);
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
    }

    @Test
    void whatFailsAndIsNotWantedAnyMoreIsGivenUp() {
        CertificateKeeper keeper = leading();
        cas.beDeaf();
        cas.hold();
        cas.fail("first", new Cause.NotPresented("not yet"));
        want(keeper, wish(SHOP));
        await().until(() -> cas.orders.size() == 1);
        store.orders.put("shop.example", orderAt(FIRST, SHOP));
        want(keeper);
        begun(keeper);
        cas.letGo(1);
        await().until(() -> !cas.abandoned.isEmpty());
        assertThat(store.orders).isEmpty();
    }

    /** One that tells the first CA, until it is let go, that the order of SHOP is given up. */
    private CertificateKeeper givingUp() {
        CertificateKeeper keeper = leading();
        cas.abandonHeld = true;
        store.orders.put("shop.example", orderAt(FIRST, SHOP));
        want(keeper);
        await().until(() -> !cas.abandoned.isEmpty());
        return keeper;
    }

    private static StoredOrder orderAt(Issuer issuer, CertificateId id) {
        return new StoredOrder(
                id,
                issuer.name(),
                issuer.directory(),
                order(id.text()),
                KeyMaterial.generate(KeyAlgorithm.EC_P256),
                Optional.of(issuer.directory().resolve("/order/9")),
                NOW);
    }

    @Test
    void anOrderThatWasLeftBehindIsGivenUpToo() {
        store.orders.put("old.example", orderAt(SECOND, new CertificateId("old.example")));
        CertificateKeeper keeper = leading();
        want(keeper);
        await().until(() -> !cas.abandoned.isEmpty());
        assertThat(cas.abandoned).containsExactly("second https://second.example/order/9");
        assertThat(store.orders).isEmpty();
    }

    @Test
    void renewingDoesNotDisregardWhenTheCaWantsToBeAskedAgain() {
        CertificateKeeper keeper = leadingWith(SHOP);
        Instant until = NOW.plus(Duration.ofHours(3));
        Cause limited = new Cause.RateLimited(Optional.of(until), false, "too many");
        cas.fail("first", limited);
        cas.fail("second", limited);
        keeper.renew(SHOP);
        eventually(keeper, SHOP, it -> it.failures().size() == 1);
        keeper.renew(SHOP);
        eventually(keeper, SHOP, it -> it.failures().size() == 2);
        assertThat(cas.orders)
                .extracting(FakeCas.Asked::issuer)
                .containsExactly("first", "first", "second");
        keeper.renew(SHOP);
        Kept shop = eventually(keeper, SHOP, KeeperTest::waits);
        assertThat(((RenewalPlan.WaitUntil) shop.plan()).until()).isAfterOrEqualTo(until);
        assertThat(begun(keeper)).isEqualTo(3);
    }

    @Test
    void aBugEndsNoMoreThanAnOrder() {
        cas.hasBug = true;
        CertificateKeeper keeper = leading();
        want(keeper, wish(SHOP, "first"));
        Kept shop = eventually(keeper, SHOP, it -> it.failures().size() == 1 && waits(it));
        assertThat(shop.plan().why().text()).contains("nobody thought of that");
        cas.hasBug = false;
        pass(keeper, Duration.ofMinutes(2));
        eventually(keeper, SHOP, KeeperTest::isKept);
    }

    @Test
    void aListenerThatThrowsIsSurvived() {
        CertificateKeeper keeper = keeper(settings(50));
        keeper.whenStored(change -> {
            if (change instanceof StoredChange.Put) {
                throw new IllegalStateException("not today");
            }
        });
        keeper.lead(true);
        want(keeper, wish(SHOP));
        await().until(() ->
                keeper.state().trouble().filter(it -> it.contains("not today")).isPresent());
        pass(keeper, Duration.ofMinutes(1));
        eventually(keeper, SHOP, KeeperTest::isKept);
        await().until(() -> keeper.state().trouble().isEmpty());
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void closingEndsOrders() {
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP), wish(BLOG));
        await().until(() -> cas.orders.size() == 2);
        keeper.close();
        assertThat(cas.interrupted).containsExactlyInAnyOrder("shop.example", "blog.example");
        assertThat(cas.closed).isTrue();
        assertThat(store.certificates).isEmpty();
    }

    @Tag("slow")
    @Test
    void closingDoesNotWaitForever() {
        CertificateKeeper keeper = leading();
        cas.hold();
        cas.beDeaf();
        want(keeper, wish(SHOP));
        await().until(() -> cas.orders.size() == 1);
        long begin = System.nanoTime();
        keeper.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
        cas.letGo(1);
    }

    @Test
    void oneThatNeverStartedCloses() {
        CertificateKeeper keeper = CertificateKeeper.of(settings(1), store, cas, clock);
        keeper.close();
        assertThat(cas.closed).isTrue();
        assertThat(keeper.state()).isEqualTo(KeeperState.EMPTY);
    }

    @Test
    void aClockThatJumpsIsSurvived() {
        CertificateKeeper keeper = leadingWith(SHOP);
        clock.set(NOW.minus(Duration.ofDays(400)));
        assertThat(begun(keeper)).isEqualTo(1);
        clock.set(NOW.plus(Duration.ofDays(100)));
        poke(keeper);
        await().until(() -> keeper.state().counts().issued() == 2);
        clock.set(NOW.plusSeconds(1));
        assertThat(begun(keeper)).isEqualTo(2);
    }

    @Test
    void whatFailedIsRememberedByWhoStartsNext() {
        CertificateKeeper keeper = leading();
        cas.fail("first", new Cause.CaTrouble("500"));
        want(keeper, wish(SHOP, "first"));
        Kept before = eventually(keeper, SHOP, KeeperTest::waits);
        keeper.close();
        CertificateKeeper next = leading();
        want(next, wish(SHOP, "first"));
        Kept after = eventually(next, SHOP, KeeperTest::waits);
        assertThat(after.plan().why().text()).isEqualTo(before.plan().why().text());
        assertThat(((RenewalPlan.WaitUntil) after.plan()).until())
                .isBetween(
                        ((RenewalPlan.WaitUntil) before.plan()).until(),
                        ((RenewalPlan.WaitUntil) before.plan()).until().plusMillis(1));
        assertThat(begun(next)).isZero();
        pass(next, Duration.ofSeconds(73));
        eventually(next, SHOP, KeeperTest::isKept);
    }

    @Test
    void startingOverAndOverAsksForNoMoreThanTheLimitAllows() {
        for (int start = 0; start < 8; start++) {
            CertificateKeeper keeper = keeper(settings(50, limit(3)));
            keeper.lead(true);
            store.certificates.clear(); // whatever it is that makes it end
            want(keeper, wish(SHOP, "first"));
            eventually(keeper, SHOP, it -> isKept(it) || waits(it));
            keeper.close();
            clock.pass(Duration.ofMinutes(1));
        }
        assertThat(cas.orders).hasSize(3);
    }

    @Test
    void manyOrdersAreRememberedInFewWrites() {
        CertificateKeeper keeper = leading();
        want(keeper, many(100));
        await().until(() -> keeper.state().counts().issued() == 100);
        assertThat(store.memories.get()).isLessThan(10);
        keeper.close();
        assertThat(Objects.requireNonNull(store.memory).text()).contains("sallyport-acme-memory");
    }

    @Test
    void sinceWhenSomethingIsGoneIsRemembered() {
        CertificateKeeper keeper = leadingWith(SHOP);
        want(keeper);
        eventually(keeper, SHOP, it -> it.order().isEmpty());
        keeper.close();
        clock.pass(Duration.ofDays(6));
        CertificateKeeper next = leading();
        want(next, wish(BLOG));
        eventually(next, SHOP, it -> it.order().isEmpty());
        pass(next, DAY.plusSeconds(1));
        await().until(() -> certificate(next, SHOP).isEmpty());
    }

    @Test
    void aDamagedMemoryIsBegunAnew() {
        store.memoryDamaged = true;
        CertificateKeeper keeper = leadingWith(SHOP);
        assertThat(keeper.state().trouble()).isEmpty();
        assertThat(store.memory).isNotNull();
    }

    @Test
    void whatCannotBeRememberedIsSaid() {
        CertificateKeeper keeper = leading();
        cas.hold();
        store.unwritable = true;
        want(keeper, wish(SHOP));
        await().until(() -> keeper.state().trouble().isPresent());
        assertThat(keeper.state().trouble().orElseThrow()).contains("cannot be stored");
        store.unwritable = false;
        cas.letGo(1);
        eventually(keeper, SHOP, KeeperTest::isKept);
        await().until(() -> {
            pass(keeper, Duration.ofSeconds(2));
            return keeper.state().trouble().isEmpty();
        });
        assertThat(store.memory).isNotNull();
    }

    @Test
    void anotherProfileIssuesAnew() {
        store.certificates.put(
                "shop.example",
                cas.certificate(
                        SHOP,
                        wish(SHOP).order(),
                        TestIssuers.usable(
                                IssuerDraft.of(
                                                "first",
                                                "https://first.example/dir",
                                                List.of(),
                                                true)
                                        .withProfile("classic")),
                        NOW));
        CertificateKeeper keeper = leading();
        cas.hold();
        want(keeper, wish(SHOP));
        Kept shop = eventually(keeper, SHOP, it -> it.underWay().isPresent());
        assertThat(shop.plan().why())
                .isEqualTo(new Why.IssuerChanged("first with the profile classic"));
        cas.letGo(1);
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(begun(keeper)).isEqualTo(1);
    }

    @Test
    void ordersWaitWhereTheAccountGetsAnotherKey() {
        CertificateKeeper keeper = leading();
        cas.hold();
        cas.rollOverHeld = true;
        want(keeper, wish(SHOP, "first"));
        eventually(keeper, SHOP, it -> it.underWay().isPresent());
        assertThat(keeper.rollOver("first")).isEqualTo(Answer.ACCEPTED);
        want(keeper, wish(SHOP, "first"), wish(BLOG, "first"));
        assertThat(begun(keeper)).isEqualTo(1);
        assertThat(cas.rolledOver).isEmpty();
        cas.letGo(2);
        await().until(() -> cas.rolledOver.equals(List.of("first")));
        assertThat(begun(keeper)).isEqualTo(1);
        cas.rollOvers.release();
        eventually(keeper, BLOG, KeeperTest::isKept);
        assertThat(keeper.rollOver("third")).isEqualTo(Answer.UNKNOWN);
    }

    @Test
    void aKeyThatCannotBeChangedStaysInUse() {
        cas.rollOverFails = true;
        CertificateKeeper keeper = leading();
        await().until(() -> keeper.state().leads());
        assertThat(keeper.rollOver("first")).isEqualTo(Answer.ACCEPTED);
        want(keeper, wish(SHOP));
        eventually(keeper, SHOP, KeeperTest::isKept);
        assertThat(cas.rolledOver).containsExactly("first");
        keeper.lead(false);
        await().until(() -> !keeper.state().leads());
        assertThat(keeper.rollOver("first")).isEqualTo(Answer.NOT_LEADING);
    }

    @Test
    void settingsAreChecked() {
        assertThatThrownBy(() -> settings(0)).hasMessageContaining("ordersAtOnce: 0");
        assertThatThrownBy(() ->
                        new Wish(
                                SHOP,
                                wish(SHOP).order(),
                                List.of(),
                                Optional.empty(),
                                Prospect.NONE))
                .hasMessageContaining("issuers: none");
    }

    private static Cause notFound(String detail) {
        return new Cause.ValidationFailed(Set.of(Identifier.parse(SHOP.text())), detail);
    }

    private CertificateKeeper leading() {
        CertificateKeeper keeper = keeper(settings(KeeperSettings.ORDERS_AT_ONCE));
        keeper.lead(true);
        return keeper;
    }

    /** One that has a certificate by now. */
    private CertificateKeeper leadingWith(CertificateId id) {
        CertificateKeeper keeper = leading();
        want(keeper, wish(id));
        eventually(keeper, id, KeeperTest::isKept);
        return keeper;
    }

    private CertificateKeeper keeper(KeeperSettings settings) {
        CertificateKeeper keeper = CertificateKeeper.of(settings, store, cas, clock);
        open.add(keeper);
        keeper.whenStored(changes::add);
        keeper.start();
        return keeper;
    }

    private static KeeperSettings settings(int atOnce, RateLimit... limits) {
        return new KeeperSettings(
                new Issuers(List.of(FIRST, SECOND)),
                RenewalRules.STANDARD,
                Map.of("first", List.of(limits)),
                OrderTimes.STANDARD,
                atOnce);
    }

    private static RateLimit limit(int most) {
        return limit(most, RateLimit.Scope.SAME_IDENTIFIERS);
    }

    private static RateLimit limit(int most, RateLimit.Scope scope) {
        return new RateLimit("a test's", scope, most, DAY, RateLimit.Exempt.NOTHING);
    }

    private void want(CertificateKeeper keeper, Wish... all) {
        wishes = List.of(all);
        keeper.want(wishes);
    }

    /** Has the thread look at the clock. */
    private void poke(CertificateKeeper keeper) {
        keeper.want(wishes);
    }

    private void pass(CertificateKeeper keeper, Duration time) {
        clock.pass(time);
        poke(keeper);
    }

    /** How many orders were begun once all was decided that can be decided now. */
    private long begun(CertificateKeeper keeper) {
        for (int i = 0;
                i < 2;
                i++) { // what the first round has told to the thread is in the second
            var id = new CertificateId("barrier" + ++barriers);
            List<Wish> with = new ArrayList<>(wishes);
            with.add(
                    new Wish(
                            id,
                            order(id.text() + ".example"),
                            List.of("nobody"),
                            Optional.empty(),
                            Prospect.NONE));
            keeper.want(with);
            eventually(keeper, id, KeeperTest::waits);
        }
        return keeper.state().counts().begun();
    }

    private void awaitAskedAgain(CertificateKeeper keeper, Duration after, int times) {
        begun(keeper);
        await().until(() -> {
            poke(keeper);
            return cas.windowsAsked.size() == times - 1;
        });
        await().until(() -> {
            // The answer before may still be on its way to the thread.
            clock.pass(after);
            poke(keeper);
            return cas.windowsAsked.size() >= times;
        });
    }

    private static Kept eventually(
            CertificateKeeper keeper, CertificateId id, Predicate<Kept> condition) {
        return await().until(() -> certificate(keeper, id).filter(condition), Optional::isPresent)
                .orElseThrow();
    }

    private static Optional<Kept> certificate(CertificateKeeper keeper, CertificateId id) {
        return keeper.state().certificates().stream()
                .filter(kept -> kept.id().equals(id))
                .findFirst();
    }

    private static boolean isKept(Kept kept) {
        return kept.plan() instanceof RenewalPlan.Keep && kept.current().isPresent();
    }

    private static boolean waits(Kept kept) {
        return kept.plan() instanceof RenewalPlan.WaitUntil;
    }

    private void stored(CertificateId id, Instant from) {
        store.certificates.put(id.text(), cas.certificate(id, wish(id).order(), FIRST, from));
    }

    private static Wish[] many(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> wish(new CertificateId("h" + i + ".example")))
                .toArray(Wish[]::new);
    }

    private static Wish wish(CertificateId id) {
        return wish(id, "first", "second");
    }

    private static Wish wish(CertificateId id, String... issuers) {
        return new Wish(id, order(id.text()), List.of(issuers), Optional.empty(), Prospect.NONE);
    }

    private static Wish served(CertificateId id, Instant until) {
        return new Wish(id, order(id.text()), List.of("first"), Optional.of(until), Prospect.NONE);
    }

    private static Wish awaited(CertificateId id) {
        return new Wish(id, order(id.text()), List.of("first"), Optional.empty(), Prospect.AWAITED);
    }

    private static Wish expected(CertificateId id) {
        return new Wish(
                id, order(id.text()), List.of("first"), Optional.empty(), Prospect.EXPECTED);
    }

    private static CertificateOrder order(String... names) {
        return CertificateOrder.of(
                List.of(names).stream().map(Identifier::parse).toList(), KeyAlgorithm.EC_P256);
    }

    private static Optional<RenewalWindow> window(Instant start, Instant end, Instant askAgain) {
        return Optional.of(new RenewalWindow(start, end, askAgain, Optional.empty()));
    }

    private static Issuer issuer(String name, String directory) {
        return TestIssuers.usable(IssuerDraft.of(name, directory, List.of(), true));
    }
}
