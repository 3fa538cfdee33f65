package dev.sallyport.secretsync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.DemoAuthority;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CertificateCatalogTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "default", "tls");
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");

    private Instant now = NOW;
    private final InstantSource clock = () -> now;
    private final AtomicInteger parsed = new AtomicInteger();
    private final CertificateCatalog catalog =
            new CertificateCatalog(
                    (origin, certificate, key) -> {
                        parsed.incrementAndGet();
                        return CertificateReader.provenBy(KeyProof.BY_SIGNATURE)
                                .read(origin, certificate, key);
                    },
                    Runnable::run,
                    clock);
    private final DemoAuthority authority = DemoAuthority.create("test", clock);

    @Test
    void aGoodSecretIsInService() {
        catalog.put(issued(Duration.ofDays(90)));
        assertThat(catalog.status(SECRET).inService()).isPresent();
        assertThat(catalog.status(SECRET).findings()).isEmpty();
    }

    @Test
    void aSecretThatNobodyRefersToIsNotParsed() {
        catalog.put(issued(Duration.ofDays(90)));
        assertThat(parsed).hasValue(0);
    }

    @Test
    void aSecretThatNobodyRefersToIsForgottenWithItsKey() {
        SecretMaterial unread = issued(Duration.ofDays(90));
        catalog.put(unread);
        assertThat(catalog.forgetUnread(SECRET)).isTrue();
        assertThat(unread.holdsPem()).isFalse();
        assertThat(catalog.status(SECRET)).isEqualTo(CertificateStatus.MISSING);
        assertThat(parsed).hasValue(0);

        catalog.put(issued(Duration.ofDays(90)));
        assertThat(catalog.status(SECRET).inService()).isPresent();
    }

    @Test
    void aSecretThatSomebodyRefersToOrDidIsNotForgotten() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate served = catalog.status(SECRET).inService().orElseThrow();
        assertThat(catalog.forgetUnread(SECRET)).isFalse();
        catalog.release(SECRET);
        assertThat(catalog.forgetUnread(SECRET)).isFalse();
        assertThat(catalog.status(SECRET).inService()).containsSame(served);
        assertThat(parsed).hasValue(1);
    }

    @Test
    void aSecretThatIsReleasedIsKeptUpToDateWithoutItsPem() {
        catalog.put(issued(Duration.ofDays(90)));
        catalog.status(SECRET);
        catalog.release(SECRET);
        SecretMaterial next = issued(Duration.ofDays(60));
        assertThat(catalog.put(next)).as("a change that anybody has to hear of").isFalse();
        assertThat(next.holdsPem()).isFalse();
        assertThat(parsed).hasValue(2);
        assertThat(catalog.standing(SECRET)).isEmpty();
        catalog.status(SECRET);
        assertThat(parsed).hasValue(2);
        catalog.release(SECRET);
        catalog.remove(SECRET);
        assertThat(catalog.forgetUnread(SECRET)).as("nothing is left of it").isTrue();
        assertThat(catalog.status(SECRET)).isEqualTo(CertificateStatus.MISSING);
    }

    @Test
    void manySecretsAreParsedSideBySide() {
        var together = new CyclicBarrier(2);
        try (ExecutorService two = Executors.newFixedThreadPool(2)) {
            var parallel =
                    new CertificateCatalog(
                            (origin, certificate, key) -> {
                                meet(together);
                                return CertificateReader.provenBy(KeyProof.BY_SIGNATURE)
                                        .read(origin, certificate, key);
                            },
                            two,
                            clock);
            ObjectRef other = new ObjectRef("Secret", "default", "other");
            parallel.put(issued(Duration.ofDays(90)));
            var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
            parallel.put(
                    SecretMaterial.of(
                            other,
                            Optional.empty(),
                            issued.tlsCrt().getBytes(StandardCharsets.UTF_8),
                            issued.tlsKey().getBytes(StandardCharsets.UTF_8)));
            parallel.prepare(List.of(SECRET, other));
            assertThat(parallel.status(SECRET).inService()).isPresent();
            assertThat(parallel.status(other).inService()).isPresent();
        }
    }

    /** Only where two parse at once does either go on. */
    private static void meet(CyclicBarrier barrier) {
        try {
            var _ = barrier.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException alone) {
            throw new IllegalStateException(alone);
        }
    }

    @Test
    void aBadUpdateDoesNotForgetTheCertificateThatWaitsForItsTime() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        now = now.plus(Duration.ofDays(2));
        SecretMaterial tomorrow = issued(Duration.ofDays(90));
        now = NOW;
        catalog.put(tomorrow);
        catalog.put(material("garbage", "garbage"));
        assertThat(served()).isSameAs(before);
        assertThat(catalog.status(SECRET).findings())
                .extracting(Finding::reason)
                .contains(Reason.CERTIFICATE_NOT_YET_VALID);
        now = now.plus(Duration.ofDays(3));
        assertThat(catalog.advance()).contains(SECRET);
        assertThat(served().bundle()).isNotSameAs(before.bundle());
    }

    @Test
    void withItsSecretGoesTheCertificateThatWaitsForItsTime() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        now = now.plus(Duration.ofDays(2));
        SecretMaterial tomorrow = issued(Duration.ofDays(90));
        now = NOW;
        catalog.put(tomorrow);
        catalog.remove(SECRET);
        now = now.plus(Duration.ofDays(3));
        catalog.advance();
        assertThat(served()).isSameAs(before);
    }

    @Test
    void materialThatComesBackIsServedAgain() {
        var first = issued(Duration.ofDays(90));
        catalog.put(first);
        ServedCertificate before = served();
        catalog.put(issued(Duration.ofDays(90)));
        assertThat(served().bundle()).isNotSameAs(before.bundle());
        assertThat(catalog.put(first)).isTrue();
        assertThat(served().bundle()).isSameAs(before.bundle());
        assertThat(parsed).hasValue(2);
    }

    @Test
    void aPreparedSecretIsParsedOnce() {
        catalog.put(issued(Duration.ofDays(90)));
        catalog.prepare(List.of(SECRET, new ObjectRef("Secret", "default", "none")));
        var _ = catalog.status(SECRET);
        assertThat(parsed).hasValue(1);
    }

    @Test
    void aSecretThatNeverWasIsMissing() {
        assertThat(catalog.status(SECRET)).isEqualTo(CertificateStatus.MISSING);
    }

    @Test
    void equalContentsKeepBundleAndSince() {
        var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        catalog.put(material(issued.tlsCrt(), issued.tlsKey()));
        ServedCertificate before = served();
        now = now.plusSeconds(60);
        assertThat(catalog.put(material(issued.tlsCrt(), issued.tlsKey()))).isFalse();
        assertThat(served()).isSameAs(before);
        assertThat(parsed).hasValue(1);
    }

    @Test
    void aRotationIsInServiceAtOnce() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        now = now.plusSeconds(60);
        assertThat(catalog.put(issued(Duration.ofDays(90)))).isTrue();
        assertThat(served().bundle().serial()).isNotEqualTo(before.bundle().serial());
        assertThat(served().since()).isEqualTo(now);
    }

    @Test
    void aBadUpdateKeepsTheLastGoodAndSaysSo() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        catalog.put(material("garbage", "garbage"));
        assertThat(served()).isSameAs(before);
        assertThat(catalog.status(SECRET).findings())
                .isNotEmpty()
                .allSatisfy(finding ->
                        assertThat(finding.message())
                                .contains(before.bundle().serial())
                                .contains("stays in service"));
    }

    @Test
    void anEmptiedSecretKeepsTheLastGood() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        catalog.put(material("", ""));
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).contains(Reason.SECRET_INCOMPLETE);
    }

    @Test
    void aMismatchedKeyKeepsTheLastGood() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        var one = authority.issue(names(), Duration.ofDays(9), KeyType.ECDSA);
        var other = authority.issue(names(), Duration.ofDays(9), KeyType.ECDSA);
        catalog.put(material(one.tlsCrt(), other.tlsKey()));
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).containsExactly(Reason.KEY_MISMATCH);
    }

    @Test
    void aBadSecretWithoutOneBeforeServesNothing() {
        catalog.put(material("garbage", "garbage"));
        assertThat(catalog.status(SECRET).exists()).isTrue();
        assertThat(catalog.status(SECRET).inService()).isEmpty();
        assertThat(catalog.status(SECRET).findings()).isNotEmpty();
    }

    @Test
    void aDeletedSecretKeepsTheLastGoodWhileSomebodyRefersToIt() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        assertThat(catalog.remove(SECRET)).isTrue();
        assertThat(served()).isSameAs(before);
        assertThat(catalog.status(SECRET).exists()).isFalse();
        assertThat(reasons()).containsExactly(Reason.SECRET_DELETED);
        catalog.release(SECRET);
        assertThat(catalog.status(SECRET)).isEqualTo(CertificateStatus.MISSING);
    }

    @Test
    void aRestoredSecretIsTheSameBundleWithoutFinding() {
        var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        catalog.put(material(issued.tlsCrt(), issued.tlsKey()));
        ServedCertificate before = served();
        catalog.remove(SECRET);
        catalog.put(material(issued.tlsCrt(), issued.tlsKey()));
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).isEmpty();
    }

    @Test
    void anUnreferencedDeletedSecretIsForgotten() {
        catalog.put(issued(Duration.ofDays(90)));
        assertThat(catalog.remove(SECRET)).isFalse();
        assertThat(catalog.status(SECRET)).isEqualTo(CertificateStatus.MISSING);
    }

    @Test
    void aReleasedSecretIsKeptParsedWhileItExists() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        catalog.release(SECRET);
        assertThat(served()).isSameAs(before);
        assertThat(parsed).hasValue(1);
    }

    @Test
    void aCertificateOfTheFutureWaitsForItsTime() {
        catalog.put(issued(Duration.ofDays(90)));
        ServedCertificate before = served();
        now = NOW.plus(Duration.ofDays(2));
        SecretMaterial future = issued(Duration.ofDays(90)); // valid from an hour before then
        now = NOW;
        catalog.put(future);
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_NOT_YET_VALID);
        now = NOW.plus(Duration.ofDays(2)).minus(Duration.ofHours(1));
        assertThat(catalog.nextChange()).isBeforeOrEqualTo(now);
        assertThat(catalog.advance()).containsExactly(SECRET);
        assertThat(served()).isNotSameAs(before);
        assertThat(reasons()).isEmpty();
    }

    @Test
    void aCertificateOfTheFutureIsServedWhereThereIsNoOther() {
        now = NOW.plus(Duration.ofDays(400));
        SecretMaterial future = issued(Duration.ofDays(90));
        now = NOW; // our clock is wrong, perhaps
        catalog.put(future);
        assertThat(catalog.status(SECRET).inService()).isPresent();
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_NOT_YET_VALID);
    }

    @Test
    void aRenewalIsServedThoughAClockFarBehindCallsBothOfTheFuture() {
        SecretMaterial first = issued(Duration.ofDays(90));
        now = NOW.plus(Duration.ofDays(60));
        SecretMaterial renewal = issued(Duration.ofDays(90));
        now = NOW.minus(Duration.ofDays(400));
        catalog.put(first);
        ServedCertificate before = served();
        catalog.put(renewal);
        assertThat(served()).isNotSameAs(before);
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_NOT_YET_VALID);
    }

    @ParameterizedTest
    @CsvSource({
        "1, CERTIFICATE_EXPIRES_SOON",
        "400, CERTIFICATE_EXPIRED",
        "-1, CERTIFICATE_NOT_YET_VALID",
        "-400, CERTIFICATE_NOT_YET_VALID"
    })
    void aClockThatJumpsChangesWhatIsToldAndNothingThatIsServed(int days, Reason told) {
        catalog.put(issued(Duration.ofHours(26)));
        ServedCertificate before = served();

        now = NOW.plus(Duration.ofDays(days));
        assertThat(catalog.nextChange()).isBefore(days == 1 ? now.plus(Duration.ofHours(1)) : now);
        assertThat(catalog.advance()).containsExactly(SECRET);
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).containsExactly(told);

        now = NOW; // somebody mended it
        assertThat(catalog.nextChange()).isBeforeOrEqualTo(now.plus(Duration.ofHours(1)));
        now = days > 0 ? now : now.plus(Duration.ofHours(1));
        catalog.advance();
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).isEmpty();
        assertThat(catalog.nextChange()).isAfter(now); // nobody is woken for nothing
    }

    @Test
    void theOldCertificateIsKeptWhileAClockThatWasSetBackCallsTheRenewalOfTheFuture() {
        catalog.put(issued(Duration.ofDays(800)));
        ServedCertificate before = served();
        now = NOW.plus(Duration.ofDays(401));
        SecretMaterial renewal = issued(Duration.ofDays(90));
        now = NOW.plus(Duration.ofDays(1)); // 400 days behind
        catalog.put(renewal);
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_NOT_YET_VALID);
        now = NOW.plus(Duration.ofDays(401));
        assertThat(catalog.advance()).containsExactly(SECRET);
        assertThat(served()).isNotSameAs(before);
    }

    @Test
    void theTimeThatAClockWasSetBackByDoesNotPutOffWhatIsDue() {
        now = NOW.plus(Duration.ofDays(400));
        catalog.advance(); // the next look, by that clock, is 400 days off
        now = NOW;
        catalog.put(issued(Duration.ofDays(2)));
        served();
        now = NOW.plus(Duration.ofDays(2)).plusSeconds(1);
        catalog.advance();
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_EXPIRED);
    }

    @Test
    void anExpiredCertificateIsServedOnAndToldInTime() {
        catalog.put(issued(Duration.ofDays(2)));
        ServedCertificate before = served();
        Instant due = NOW.plus(Duration.ofDays(2)).plusSeconds(1);
        while (now.isBefore(due)) { // as the reconciler does
            now = catalog.nextChange().isBefore(due) ? catalog.nextChange() : due;
            catalog.advance();
        }
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).containsExactly(Reason.CERTIFICATE_EXPIRED);
    }

    @Test
    void expiryIsNoticedToTheSecond() {
        catalog.put(issued(Duration.ofMinutes(10)));
        served();
        assertThat(catalog.nextChange())
                .isBetween(
                        NOW.plus(Duration.ofMinutes(10)),
                        NOW.plus(Duration.ofMinutes(10)).plusSeconds(1));
    }

    @Test
    void timeAloneChangesNothingBeforeItIsDue() {
        catalog.put(issued(Duration.ofDays(90)));
        served();
        now = now.plus(Duration.ofHours(2));
        assertThat(catalog.advance()).isEmpty();
    }

    @Test
    void contentsThatComeBackAfterUnusableOnesStayTheSameBundle() {
        var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        catalog.put(material(issued.tlsCrt(), issued.tlsKey()));
        ServedCertificate before = served();
        now = now.plusSeconds(1);
        catalog.put(material("garbage", "garbage"));
        catalog.put(material(issued.tlsCrt(), issued.tlsKey()));
        assertThat(served()).isSameAs(before);
        assertThat(reasons()).isEmpty();
        assertThat(parsed).hasValue(2);
    }

    @Test
    void theVersionGoesOnWithTheObjectWhileItsContentsStay() {
        var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        catalog.put(versioned("1", issued.tlsCrt(), issued.tlsKey()));
        CertificateStatus before = catalog.status(SECRET);
        catalog.takeTouched();
        assertThat(catalog.put(versioned("2", issued.tlsCrt(), issued.tlsKey()))).isFalse();
        assertThat(catalog.status(SECRET)).isEqualTo(before);
        assertThat(catalog.takeTouched()).containsExactly(SECRET);
        assertThat(standing())
                .isEqualTo(
                        new SecretStanding(
                                Optional.of(served().bundle()), "2", "2", Optional.empty()));
    }

    @Test
    void whatIsServedStandsAtItsOwnVersionWhileTheNewestCannotBeUsed() {
        var issued = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        catalog.put(versioned("1", issued.tlsCrt(), issued.tlsKey()));
        var other = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        served();
        catalog.put(versioned("2", issued.tlsCrt(), other.tlsKey()));
        assertThat(standing().servedVersion()).isEqualTo("1");
        assertThat(standing().latestVersion()).isEqualTo("2");
        assertThat(standing().unserved()).contains(Reason.KEY_MISMATCH);
        catalog.put(versioned("3", issued.tlsCrt(), issued.tlsKey()));
        assertThat(standing().servedVersion()).isEqualTo("3");
        assertThat(standing().unserved()).isEmpty();
        catalog.remove(SECRET);
        assertThat(standing().servedVersion()).isEqualTo("3");
        assertThat(standing().latestVersion()).isEmpty();
        assertThat(standing().unserved()).contains(Reason.SECRET_DELETED);
    }

    @Test
    void whatWaitsForItsTimeIsNotServedYet() {
        catalog.put(issued(Duration.ofDays(90)));
        served();
        now = now.plus(Duration.ofDays(2));
        var tomorrow = authority.issue(names(), Duration.ofDays(90), KeyType.ECDSA);
        now = NOW;
        catalog.put(versioned("2", tomorrow.tlsCrt(), tomorrow.tlsKey()));
        assertThat(standing().servedVersion()).isEmpty();
        assertThat(standing().unserved()).contains(Reason.CERTIFICATE_NOT_YET_VALID);
        now = now.plus(Duration.ofDays(3));
        catalog.advance();
        assertThat(standing().servedVersion()).isEqualTo("2");
        assertThat(standing().unserved()).isEmpty();
    }

    @Test
    void aSecretThatNobodyRefersToHasNoStanding() {
        catalog.put(issued(Duration.ofDays(90)));
        assertThat(catalog.standing(SECRET)).isEmpty();
        served();
        assertThat(catalog.standing(SECRET)).isPresent();
        catalog.takeTouched();
        catalog.release(SECRET);
        assertThat(catalog.takeTouched()).containsExactly(SECRET);
        assertThat(catalog.standing(SECRET)).isEmpty();
    }

    @Test
    void aSecretThatNeverWasIsNotUnserved() {
        catalog.status(SECRET);
        assertThat(standing().unserved()).isEmpty();
        assertThat(standing().served()).isEmpty();
    }

    @Test
    void findingsNameThePlaceOfTheSecret() {
        var place = new Location("tls.yaml", 7);
        catalog.put(
                SecretMaterial.of(SECRET, Optional.of(place), bytes("garbage"), bytes("garbage")));
        assertThat(catalog.status(SECRET).findings())
                .isNotEmpty()
                .allSatisfy(finding -> assertThat(finding.location()).contains(place));
    }

    private ServedCertificate served() {
        return catalog.status(SECRET).inService().orElseThrow();
    }

    private SecretStanding standing() {
        return catalog.standing(SECRET).orElseThrow();
    }

    private static SecretMaterial versioned(String version, String certificate, String key) {
        var secret =
                new SecretBuilder()
                        .withNewMetadata()
                        .withUid("uid")
                        .withResourceVersion(version)
                        .endMetadata()
                        .addToStringData("tls.crt", certificate)
                        .addToStringData("tls.key", key)
                        .build();
        return switch (SecretMaterial.of(SECRET, Optional.empty(), secret)) {
            case Parsed.Usable<SecretMaterial>(SecretMaterial material, _) -> material;
            case Parsed.Rejected<SecretMaterial> rejected ->
                    throw new AssertionError(rejected.toString());
        };
    }

    private List<Reason> reasons() {
        return catalog.status(SECRET).findings().stream().map(Finding::reason).toList();
    }

    private SecretMaterial issued(Duration validity) {
        var issued = authority.issue(names(), validity, KeyType.ECDSA);
        return material(issued.tlsCrt(), issued.tlsKey());
    }

    private static List<Hostname> names() {
        return List.of(Hostname.parse("shop.example.com"));
    }

    private static SecretMaterial material(String certificate, String key) {
        return SecretMaterial.of(SECRET, Optional.empty(), bytes(certificate), bytes(key));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
