package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.keep.CertificateKeeper.Answer;
import dev.sallyport.acme.keep.KeeperSettings;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.keep.Wish;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.RateLimits;
import dev.sallyport.acme.plan.RenewalRules;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.model.finding.Parsed;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The keeper as it is used, against a real Pebble. */
@Tag("pebble")
@Timeout(300)
class KeeperIT {
    private static final int HOSTS = 200;
    private static final OrderTimes TIMES =
            new OrderTimes(Duration.ofMinutes(2), Duration.ofSeconds(10), Duration.ofMillis(100));

    @Test
    void twoHundredHostsAtOnceThenAnotherAccountKeyAndARevocation(@TempDir Path folder)
            throws Exception {
        try (PebbleServer pebble =
                        PebbleServer.start(folder.resolve("pebble"), PebbleServer.behaving());
                DirectoryStore store = DirectoryStore.open(folder.resolve("state"));
                TestBoard board = new TestBoard(pebble).only(ChallengeType.HTTP_01)) {
            Issuer issuer = parsed(pebble);
            var settings =
                    new KeeperSettings(
                            new Issuers(List.of(issuer)),
                            RenewalRules.STANDARD,
                            Map.of("main", RateLimits.of(issuer.directory())),
                            TIMES,
                            KeeperSettings.ORDERS_AT_ONCE);
            try (CertificateKeeper keeper =
                    CertificateKeeper.of(settings, store, board, Clock.system(ZoneOffset.UTC))) {
                keeper.start();
                keeper.lead(true);
                long begin = System.nanoTime();
                keeper.want(IntStream.range(0, HOSTS).mapToObj(KeeperIT::wish).toList());
                await().atMost(Duration.ofMinutes(3))
                        .until(() -> keeper.state().counts().issued() == HOSTS);
                tell(keeper, Duration.ofNanos(System.nanoTime() - begin));
                assertThat(store.certificates()).hasSize(HOSTS);
                assertThat(store.orders()).isEmpty();
                assertThat(keeper.state().counts().failed()).isEmpty();
                assertThat(keeper.state().issuers().getFirst().account()).isPresent();

                StoredAccount before = account(store, issuer);
                assertThat(keeper.rollOver("main")).isEqualTo(Answer.ACCEPTED);
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> !account(store, issuer).key().equals(before.key()));
                String serial = kept(keeper, 7).serial();
                assertThat(keeper.revoke(wish(7).id(), true)).isEqualTo(Answer.ACCEPTED);
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> !kept(keeper, 7).serial().equals(serial));
                assertThat(keeper.state().counts().failed()).isEmpty();
            }
        }
    }

    private static void tell(CertificateKeeper keeper, Duration took) {
        System.getLogger("figures")
                .log(
                        System.Logger.Level.INFO,
                        HOSTS
                                + " hosts at once, all issued after "
                                + took.toMillis()
                                + " ms, requests to the CA per certificate: "
                                + (double) keeper.state().issuers().getFirst().requests() / HOSTS);
    }

    private static Kept kept(CertificateKeeper keeper, int number) {
        return keeper.state().certificates().stream()
                .filter(it -> it.id().equals(wish(number).id()))
                .findFirst()
                .orElseThrow();
    }

    private static StoredAccount account(DirectoryStore store, Issuer issuer) {
        return switch (store.account(issuer)) {
            case Parsed.Usable<Optional<StoredAccount>> usable -> usable.value().orElseThrow();
            case Parsed.Rejected<Optional<StoredAccount>> rejected ->
                    throw new AssertionError(rejected.findings());
        };
    }

    private static Issuer parsed(PebbleServer pebble) {
        return TestIssuers.usable(pebble.issuer("main"));
    }

    private static Wish wish(int number) {
        String name = "h" + number + ".shop.example";
        return new Wish(
                new CertificateId(name),
                CertificateOrder.of(List.of(Identifier.parse(name)), KeyAlgorithm.EC_P256),
                List.of("main"),
                Optional.empty(),
                Prospect.NONE);
    }
}
