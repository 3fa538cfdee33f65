package dev.sallyport.acme.keep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.OrderLedger;
import dev.sallyport.acme.plan.RateLimit;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredMemory;
import dev.sallyport.model.certificate.SensitiveBytes;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RememberingTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final CertificateOrder ORDER = order("shop.example", "192.0.2.1");
    private static final RateLimit TWO_A_DAY =
            new RateLimit(
                    "two a day",
                    RateLimit.Scope.SAME_IDENTIFIERS,
                    2,
                    Duration.ofDays(1),
                    RateLimit.Exempt.NOTHING);
    private static final Map<String, List<RateLimit>> LIMITS = Map.of("ca", List.of(TWO_A_DAY));

    private static final Issuers ISSUERS =
            new Issuers(List.of(issuer(List.of(), List.of(), Optional.empty())));

    private final OrderLedger ledger = new OrderLedger(LIMITS);
    private final OrderLedger after = new OrderLedger(LIMITS);

    @Test
    void everyCauseComesBack() {
        Set<Identifier> names = Set.copyOf(ORDER.identifiers());
        List<Cause> causes =
                List.of(
                        new Cause.Unreachable("a\tb"),
                        new Cause.CaTrouble(""),
                        new Cause.RateLimited(Optional.of(NOW.plusSeconds(60)), false, "slow"),
                        new Cause.RateLimited(Optional.empty(), false, "slow"),
                        new Cause.NotPresented("x"),
                        new Cause.NotStored("x"),
                        new Cause.OrderLost("x"),
                        new Cause.AccountLost("x"),
                        new Cause.ValidationFailed(names, "x"),
                        new Cause.NameRefused(names, "x"),
                        new Cause.AccountRefused(
                                Optional.of(URI.create("https://ca.example/")), "x"),
                        new Cause.OrderRefused("x"),
                        new Cause.WrongCertificate("x"),
                        new Cause.AddressRefused("x".repeat(10_000)));
        for (Cause cause : causes) {
            var entry = new Entry(new CertificateId("shop.example"));
            for (int i = 0; i < 3; i++) {
                entry.failed(new Failure(NOW.plusSeconds(i), "ca", ORDER, cause));
            }
            Remembering.Read read =
                    Remembering.read(
                            Remembering.write(List.of(entry), ledger, ISSUERS, NOW),
                            after,
                            ISSUERS,
                            NOW.plusSeconds(60));
            assertThat(read.unread()).as(cause.toString()).isZero();
            List<Failure> failures = read.failures().getOrDefault("shop.example", List.of());
            assertThat(failures).hasSize(3);
            Failure last = failures.getLast();
            assertThat(last.at()).isBetween(NOW.plusSeconds(2), NOW.plusSeconds(3));
            assertThat(last.order()).isEqualTo(ORDER);
            assertThat(last.cause().getClass()).isEqualTo(cause.getClass());
            assertThat(last.cause().pace()).isEqualTo(cause.pace());
            assertThat(last.cause().detail().length()).isLessThan(200);
        }
    }

    @Test
    void whatPeopleHadToMendIsNotHeldAgainstAnotherConfiguration() {
        Set<Identifier> names = Set.copyOf(ORDER.identifiers());
        var entry = new Entry(new CertificateId("shop.example"));
        for (Cause cause :
                List.of(
                        new Cause.AccountRefused(Optional.empty(), "no external account"),
                        new Cause.NoChallenge(names, "no DNS-01"),
                        new Cause.ValidationFailed(names, "404"))) {
            entry.failed(new Failure(NOW, "ca", ORDER, cause));
        }
        StoredMemory memory = Remembering.write(List.of(entry), ledger, ISSUERS, NOW);
        assertThat(causes(Remembering.read(memory, after, ISSUERS, NOW)))
                .as("the challenges may be configured anew")
                .containsExactly("AccountRefused", "ValidationFailed");
        var others =
                new Issuers(
                        List.of(issuer(List.of("new@shop.example"), List.of(), Optional.empty())));
        assertThat(causes(Remembering.read(memory, after, others, NOW)))
                .containsExactly("ValidationFailed");
    }

    @Test
    void whatOneCaSaidIsNotHeldAgainstAnotherOfTheSameName() {
        var entry = new Entry(new CertificateId("shop.example"));
        entry.failed(new Failure(NOW, "ca", ORDER, new Cause.CaTrouble("500")));
        ledger.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        ledger.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        ledger.note(
                new Failure(
                        NOW,
                        "ca",
                        ORDER,
                        new Cause.RateLimited(Optional.of(NOW.plusSeconds(600)), true, "busy")));
        StoredMemory memory = Remembering.write(List.of(entry), ledger, ISSUERS, NOW);
        var others =
                new Issuers(
                        List.of(
                                TestIssuers.usable(
                                        IssuerDraft.of(
                                                "ca",
                                                "https://other.example/dir",
                                                List.of(),
                                                true))));
        Remembering.Read read = Remembering.read(memory, after, others, NOW);
        assertThat(read.unread()).isZero();
        assertThat(read.failures().getOrDefault("shop.example", List.of())).isEmpty();
        assertThat(after.hold(NOW, "ca", ORDER, OrderKind.FIRST)).isEmpty();
        Remembering.read(memory, after, ISSUERS, NOW);
        assertThat(after.hold(NOW, "ca", ORDER, OrderKind.FIRST)).isPresent();
    }

    /** What a CA counts over all accounts it goes on counting, whoever asks it. */
    @ParameterizedTest
    @ValueSource(strings = {"short", "renamed"})
    void whatACaCountsStaysWhenItsFirstIssuerIsTakenOutOrRenamed(String left) {
        Issuer first = at("ca", "https://ca.example/dir");
        Issuer second = at("short", "https://ca.example/dir");
        Issuer heir = at(left, "https://ca.example/dir");
        var before = new Issuers(List.of(first, second));
        OrderLedger counting = shared(before);
        counting.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        counting.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        StoredMemory memory = Remembering.write(List.of(), counting, before, NOW);

        for (Issuers now :
                List.of(
                        new Issuers(List.of(heir)),
                        new Issuers(List.of(at("ca", "https://other.example/dir"), heir)),
                        new Issuers(List.of(heir, first)))) {
            OrderLedger next = shared(now);
            assertThat(Remembering.read(memory, next, now, NOW).unread()).isZero();
            assertThat(next.hold(NOW, left, ORDER, OrderKind.FIRST)).as(now.toString()).isPresent();

            OrderLedger nextButOne = shared(now);
            Remembering.read(Remembering.write(List.of(), next, now, NOW), nextButOne, now, NOW);
            assertThat(nextButOne.hold(NOW, left, ORDER, OrderKind.FIRST)).isPresent();
            assertThat(nextButOne.hold(NOW, left, order("b.example"), OrderKind.FIRST))
                    .as("an account's limit is not another's")
                    .isEmpty();
        }
        var elsewhere = new Issuers(List.of(at("ca", "https://other.example/dir")));
        OrderLedger other = shared(elsewhere);
        Remembering.read(memory, other, elsewhere, NOW);
        assertThat(other.hold(NOW, "ca", ORDER, OrderKind.FIRST)).isEmpty();
    }

    private static Issuer at(String name, String directory) {
        return TestIssuers.usable(IssuerDraft.of(name, directory, List.of(), true));
    }

    private static OrderLedger shared(Issuers issuers) {
        List<RateLimit> limits =
                List.of(
                        TWO_A_DAY,
                        new RateLimit(
                                "one an account",
                                RateLimit.Scope.ACCOUNT,
                                1,
                                Duration.ofDays(1),
                                RateLimit.Exempt.NOTHING));
        return new OrderLedger(
                issuers.names().stream().collect(Collectors.toMap(it -> it, _ -> limits)),
                issuers.firstOfSameCa());
    }

    @Test
    void failuresAreCountedForEachIssuer() {
        var entry = new Entry(new CertificateId("shop.example"));
        for (int i = 0; i < 200; i++) {
            for (String issuer : List.of("one", "two", "three")) {
                entry.failed(
                        new Failure(NOW.plusSeconds(i), issuer, ORDER, new Cause.CaTrouble("500")));
            }
        }
        assertThat(entry.failures.stream().filter(it -> it.issuer().equals("two")))
                .hasSize(Entry.MOST_FAILURES)
                .allMatch(it -> it.at().isAfter(NOW.plusSeconds(100)));
    }

    private static List<String> causes(Remembering.Read read) {
        return read.failures().getOrDefault("shop.example", List.of()).stream()
                .map(failure -> failure.cause().getClass().getSimpleName())
                .toList();
    }

    @Test
    void whateverIsConfiguredOtherwiseIsSeen() {
        List<String> mail = List.of("a@shop.example");
        Set<String> seen =
                Stream.of(
                                issuer(List.of(), List.of(), Optional.empty()),
                                issuer(mail, List.of(), Optional.empty()),
                                issuer(mail, List.of("https://more.example"), Optional.empty()),
                                issuer(mail, List.of(), Optional.of("MDEyMzQ1Njc4OWFiY2RlZg")),
                                issuer(mail, List.of(), Optional.of("MDEyMzQ1Njc4OWFiY2RlZw")))
                        .map(Issuer::fingerprint)
                        .collect(Collectors.toSet());
        assertThat(seen).hasSize(5).allMatch(it -> it.matches("[0-9a-f]{16}"));
        assertThat(issuer(mail, List.of(), Optional.empty()).fingerprint())
                .isEqualTo(issuer(mail, List.of(), Optional.empty()).fingerprint());
    }

    private static Issuer issuer(
            List<String> contacts, List<String> origins, Optional<String> mac) {
        var draft =
                new IssuerDraft(
                        "ca",
                        "https://ca.example/dir",
                        contacts,
                        true,
                        mac.map(_ -> "kid"),
                        mac.map(it ->
                                SensitiveBytes.copyOf(it.getBytes(StandardCharsets.US_ASCII))),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        false,
                        origins);
        return TestIssuers.usable(draft);
    }

    @Test
    void limitsCountOn() {
        ledger.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        ledger.begun(NOW.plusSeconds(1), "ca", ORDER, OrderKind.FIRST);
        Instant until = NOW.plus(Duration.ofHours(30));
        ledger.failed(
                NOW,
                new Failure(
                        NOW,
                        "other",
                        ORDER,
                        new Cause.RateLimited(Optional.of(until), true, "too many")),
                OrderKind.FIRST);
        Instant later = NOW.plus(Duration.ofHours(5));
        Remembering.read(
                Remembering.write(List.of(), ledger, ISSUERS, later), after, ISSUERS, later);
        OrderLedger.Hold hold = after.hold(later, "ca", ORDER, OrderKind.FIRST).orElseThrow();
        assertThat(hold.what()).isEqualTo("two a day");
        assertThat(hold.until())
                .isBetween(
                        NOW.plus(Duration.ofDays(1)), NOW.plus(Duration.ofDays(1)).plusMillis(2));
        assertThat(after.hold(later, "other", ORDER, OrderKind.FIRST).orElseThrow().until())
                .isBetween(until, until.plusMillis(2));
    }

    /** Its account is another, the CA is not. */
    @Test
    void whatACaCountsForAllItsAccountsCountsOnWhenAnIssuerIsRenamed() {
        List<RateLimit> limits =
                List.of(
                        TWO_A_DAY,
                        new RateLimit(
                                "two of the account",
                                RateLimit.Scope.ACCOUNT,
                                2,
                                Duration.ofDays(7),
                                RateLimit.Exempt.NOTHING));
        var before = new OrderLedger(Map.of("ca", limits));
        before.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        before.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        StoredMemory memory = Remembering.write(List.of(), before, ISSUERS, NOW);
        var renamed =
                new Issuers(
                        List.of(
                                TestIssuers.usable(
                                        IssuerDraft.of(
                                                "new",
                                                "https://ca.example/dir",
                                                List.of(),
                                                true))));
        var now = new OrderLedger(Map.of("new", limits));
        assertThat(Remembering.read(memory, now, renamed, NOW).unread()).isZero();
        assertThat(now.hold(NOW, "new", ORDER, OrderKind.FIRST).orElseThrow().what())
                .isEqualTo("two a day");
        assertThat(now.hold(NOW, "new", order("other.example"), OrderKind.FIRST)).isEmpty();
    }

    @Test
    void whatDoesNotCountAnyMoreIsForgotten() {
        for (int i = 0; i < 100; i++) {
            ledger.begun(NOW, "ca", order("h" + i + ".example"), OrderKind.FIRST);
        }
        assertThat(ledger.counted(NOW)).hasSize(100);
        assertThat(ledger.counted(NOW.plus(Duration.ofDays(1)))).isEmpty();
        assertThat(ledger.counted(NOW)).isEmpty();
    }

    @Test
    void moreThanFitsIsCutWithTheWorstInFront() {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            var entry = new Entry(new CertificateId("h" + i + ".example"));
            entry.failed(
                    new Failure(
                            NOW.plusSeconds(i),
                            "ca",
                            order("h" + i + ".example"),
                            new Cause.CaTrouble("x".repeat(1_000))));
            entries.add(entry);
            ledger.begun(NOW, "ca", order("h" + i + ".example"), OrderKind.FIRST);
        }
        ledger.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        ledger.begun(NOW, "ca", ORDER, OrderKind.FIRST);
        StoredMemory memory = Remembering.write(entries, ledger, ISSUERS, NOW.plusSeconds(5_000));
        assertThat(memory.text().length()).isBetween(100_000, StoredMemory.MOST);
        Remembering.Read read = Remembering.read(memory, after, ISSUERS, NOW.plusSeconds(5_000));
        assertThat(read.unread()).isZero();
        assertThat(read.failures()).containsKey("h4999.example").doesNotContainKey("h0.example");
        assertThat(after.hold(NOW.plusSeconds(5_000), "ca", ORDER, OrderKind.FIRST)).isPresent();
    }

    @Test
    void nothingHasHappenedInTheFuture() {
        ledger.begun(NOW.plus(Duration.ofDays(300)), "ca", ORDER, OrderKind.FIRST);
        ledger.begun(NOW.plus(Duration.ofDays(300)), "ca", ORDER, OrderKind.FIRST);
        Remembering.read(Remembering.write(List.of(), ledger, ISSUERS, NOW), after, ISSUERS, NOW);
        assertThat(after.hold(NOW, "ca", ORDER, OrderKind.FIRST).orElseThrow().until())
                .isEqualTo(NOW.plus(Duration.ofDays(1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "something else",
                "sallyport-acme-memory\t2\n",
                "sallyport-acme-memory\t1\nodd",
                "sallyport-acme-memory\t1\ncount\tca",
                "sallyport-acme-memory\t1\ncount\tca\ttwo a day\tx\tsoon",
                "sallyport-acme-memory\t1\nstop\tca\t\t99999999999999999999999",
                "sallyport-acme-memory\t1\ngone\tx\t1x",
                "sallyport-acme-memory\t1\nfail\tx\t1\t1\tca\tecdsa-p256\ta.example\tBogus\t\t",
                "sallyport-acme-memory\t1\nfail\tx\t1\t1\tca\tno-key\ta.example\tCaTrouble\t\t",
            })
    void whatCannotBeReadIsCounted(String text) {
        Remembering.Read read = Remembering.read(new StoredMemory(text), after, ISSUERS, NOW);
        assertThat(read.unread()).isEqualTo(1);
        assertThat(read.failures()).isEmpty();
        assertThat(read.gone()).isEmpty();
    }

    private static CertificateOrder order(String... names) {
        return CertificateOrder.of(
                List.of(names).stream().map(Identifier::parse).toList(), KeyAlgorithm.EC_P256);
    }
}
