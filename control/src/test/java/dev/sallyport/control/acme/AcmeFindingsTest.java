package dev.sallyport.control.acme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AcmeFindingsTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final String STEP = "acme/a.shop.example";
    private static final Hostname HOST = Hostname.parse("a.shop.example");
    private static final ObjectRef INGRESS = new ObjectRef("Ingress", "default", "a");
    private static final CertificateOrder ORDER =
            CertificateOrder.of(List.of(Identifier.parse("a.shop.example")), KeyAlgorithm.EC_P256);

    private final AcmeFindings findings =
            new AcmeFindings(
                    Optional.of(
                            new AcmeAddresses(
                                    List.of(new Identifier.Ip(InetAddress.ofLiteral("192.0.2.7"))),
                                    List.of("first"))));

    private static ControlState control(boolean asks) {
        ControlState empty = ControlState.EMPTY;
        var host =
                new AcmeHost(
                        HOST,
                        List.of("default"),
                        INGRESS,
                        List.of(),
                        Prospect.NONE,
                        false,
                        Optional.empty());
        var ingress =
                new Resource.OfIngress(
                        INGRESS,
                        new IngressBuilder().build(),
                        new Origin("a.yaml", 1, Map.of("spec.rules", 7)));
        return new ControlState(
                empty.snapshot(),
                ShardedMap.copyOf(Map.of(INGRESS, ingress)),
                empty.applied(),
                empty.truth(),
                empty.ingresses(),
                asks ? ShardedMap.copyOf(Map.of(HOST, host)) : ShardedMap.empty(),
                empty.remarks(),
                empty.objects(),
                0,
                1,
                1,
                0,
                empty.lastDuration(),
                Optional.of(NOW));
    }

    private static KeeperState keeper(RenewalPlan plan) {
        return keeper(plan, Optional.empty(), Optional.empty());
    }

    private static KeeperState keeper(
            RenewalPlan plan, Optional<CurrentCertificate> current, Optional<String> trouble) {
        return keeper(CertificateId.of(HOST), plan, current, trouble);
    }

    private static KeeperState keeper(
            CertificateId id,
            RenewalPlan plan,
            Optional<CurrentCertificate> current,
            Optional<String> trouble) {
        return new KeeperState(
                true,
                true,
                List.of(
                        new Kept(
                                id,
                                Optional.of(ORDER),
                                List.of("default"),
                                current,
                                "",
                                Optional.empty(),
                                plan,
                                plan instanceof RenewalPlan.Issue
                                        ? Optional.of(Station.ORDERED)
                                        : Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                Optional.empty(),
                                NOW)),
                List.of(),
                new KeeperState.Counts(0, 0, Map.of()),
                trouble);
    }

    private static RenewalPlan failed(Cause cause, boolean givenUp) {
        return new RenewalPlan.WaitUntil(
                NOW.plusSeconds(60),
                new Why.Failed(new Failure(NOW, "default", ORDER, cause), 1, givenUp),
                new Why.NoCertificate());
    }

    private static RenewalPlan ordering() {
        return new RenewalPlan.Issue(ORDER, "default", OrderKind.FIRST, new Why.NoCertificate());
    }

    private static RenewalPlan kept() {
        Instant until = NOW.plus(Duration.ofDays(60));
        return new RenewalPlan.Keep(until, until, new Why.Lifetime(until, until));
    }

    private Finding only(KeeperState keeper) {
        return only(keeper, STEP);
    }

    private Finding only(KeeperState keeper, String step) {
        SourceUpdate update = findings.news(keeper, Map.of(), control(true)).orElseThrow();
        assertThat(update.changes()).isEmpty();
        assertThat(update.findings()).containsOnlyKeys(step);
        return update.findings().getOrDefault(step, List.of()).getFirst();
    }

    @Test
    void whatFailsIsToldOnTheIngressThatAsks() {
        KeeperState failing = keeper(failed(new Cause.Unreachable("connection refused"), false));

        Finding finding = only(failing);

        assertThat(finding.reason()).isEqualTo(Reason.ACME_ORDER_FAILED);
        assertThat(finding.object()).isEqualTo(INGRESS);
        assertThat(finding.location().orElseThrow().line()).isEqualTo(7);
        assertThat(finding.message())
                .isEqualTo(
                        "a.shop.example: default issued no certificate: Unreachable: connection"
                                + " refused");
        assertThat(finding.advice()).contains("CA can be reached", "sallyport acme orders");
        assertThat(findings.news(failing, Map.of(), control(true))).as("the same again").isEmpty();
    }

    @Test
    void whatIsRefusedIsToldThereToo() {
        Finding why = Finding.of(Reason.HOST_NOT_ALLOWED, INGRESS, "no", "Have it granted.");
        KeeperState nothing =
                new KeeperState(
                        true,
                        true,
                        List.of(),
                        List.of(),
                        new KeeperState.Counts(0, 0, Map.of()),
                        Optional.empty());

        Finding told =
                findings.news(nothing, Map.of(CertificateId.of(HOST), why), control(true))
                        .orElseThrow()
                        .findings()
                        .getOrDefault(STEP, List.of())
                        .getFirst();

        assertThat(told.message()).isEqualTo("no");
        assertThat(told.location().orElseThrow().line()).isEqualTo(7);
        assertThat(findings.news(nothing, Map.of(), control(true)).orElseThrow().findings())
                .isEqualTo(Map.of(STEP, List.of()));
    }

    @Test
    void whatIsServedMeanwhileIsTold() {
        var current =
                new CurrentCertificate(
                        Set.of(Identifier.parse("a.shop.example")),
                        Optional.of(KeyAlgorithm.EC_P256),
                        NOW.minus(Duration.ofDays(80)),
                        NOW.plus(Duration.ofDays(10)),
                        "default",
                        true);

        assertThat(
                        only(keeper(
                                        failed(new Cause.CaTrouble("500"), false),
                                        Optional.of(current),
                                        Optional.empty()))
                                .message())
                .endsWith("; the one that there is expires at 2026-06-11T12:00:00Z");
    }

    @Test
    void anotherTryTakesNothingBackBeforeItSucceeds() {
        ControlState control = control(true);
        assertThat(findings.news(keeper(ordering()), Map.of(), control)).isEmpty();
        only(keeper(failed(new Cause.Unreachable("x"), false)));

        assertThat(findings.news(keeper(ordering()), Map.of(), control)).isEmpty();
        assertThat(findings.news(keeper(kept()), Map.of(), control).orElseThrow().findings())
                .isEqualTo(Map.of(STEP, List.of()));
        assertThat(findings.news(keeper(kept()), Map.of(), control)).isEmpty();
    }

    @Test
    void whatIsAskedForNoMoreIsTakenBack() {
        KeeperState failing = keeper(failed(new Cause.Unreachable("x"), false));
        only(failing);

        assertThat(findings.news(failing, Map.of(), control(false)).orElseThrow().findings())
                .isEqualTo(Map.of(STEP, List.of()));
    }

    @Test
    void theReasonSaysWhoCanDoSomething() {
        Set<Identifier> names = Set.of(Identifier.parse("a.shop.example"));
        Map<Cause, Reason> expected =
                Map.ofEntries(
                        Map.entry(new Cause.Unreachable("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.CaTrouble("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.NotPresented("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.NotStored("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.OrderLost("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.AccountLost("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.OrderRefused("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.WrongCertificate("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.AddressRefused("x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.ValidationFailed(names, "x"), Reason.ACME_ORDER_FAILED),
                        Map.entry(new Cause.NoChallenge(names, "x"), Reason.ACME_NAME_REFUSED),
                        Map.entry(new Cause.NameRefused(names, "x"), Reason.ACME_NAME_REFUSED),
                        Map.entry(
                                new Cause.RateLimited(Optional.of(NOW), false, "x"),
                                Reason.ACME_RATE_LIMITED),
                        Map.entry(
                                new Cause.AccountRefused(
                                        Optional.of(URI.create("https://ca.example/terms")), "x"),
                                Reason.ACME_ACCOUNT_REFUSED));
        assertThat(expected).hasSize(Cause.class.getPermittedSubclasses().length);

        expected.forEach((cause, reason) -> {
            Finding finding = only(keeper(failed(cause, false)));
            assertThat(finding.reason()).as(cause.toString()).isEqualTo(reason);
            assertThat(finding.reason().camelCase()).startsWith("Acme");
            assertThat(finding.message()).contains(cause.getClass().getSimpleName());
            assertThat(finding.advice()).hasSizeGreaterThan(80);
            if (cause instanceof Cause.AccountRefused) {
                assertThat(finding.advice()).contains("at https://ca.example/terms.");
            }
        });
        assertThat(only(keeper(failed(new Cause.CaTrouble("x"), true))).reason())
                .isEqualTo(Reason.ACME_GIVEN_UP);
    }

    @Test
    void whatTheGatewaysOwnAddressesLackIsToldOfTheSetting() {
        Finding finding =
                only(
                        keeper(
                                CertificateId.ADDRESSES,
                                failed(new Cause.Unreachable("x"), false),
                                Optional.empty(),
                                Optional.empty()),
                        "acme/" + CertificateId.ADDRESSES);
        assertThat(finding.object()).isEqualTo(ObjectRef.gateway("acme.addresses"));
        assertThat(finding.message()).startsWith("192.0.2.7: ");
    }

    @ParameterizedTest
    @CsvSource({
        "externalAccountRequired: bind one,acme.external-key-id and acme.external-mac-file",
        "invalidContact: no such domain,acme.contacts",
        "unsupportedContact: only mail,acme.contacts",
        "malformed: what,Do what the CA asks of you",
    })
    void whatIsMissingForAnAccountIsNamed(String detail, String advice) {
        var refused = new Cause.AccountRefused(Optional.empty(), detail);
        assertThat(only(keeper(failed(refused, false))).advice()).contains(advice);
    }

    @Test
    void whoSetADirectoryUpLearnsWhatToLookAt() {
        assertThat(
                        only(keeper(
                                        failed(
                                                new Cause.Unreachable(
                                                        "PKIX path building failed: no path"),
                                                false)))
                                .advice())
                .contains("ca-file");
        assertThat(only(keeper(failed(new Cause.CaTrouble("HTTP 404"), false))).advice())
                .contains("the URL of an ACME directory");
    }

    @Test
    void whatIsHeldBackOrDamagedIsTold() {
        Instant until = NOW.plusSeconds(60);
        assertThat(
                        only(keeper(
                                        new RenewalPlan.WaitUntil(
                                                until,
                                                new Why.Limited("default", "5 a week"),
                                                new Why.NoCertificate())))
                                .reason())
                .isEqualTo(Reason.ACME_RATE_LIMITED);
        var damaged = new Why.Damaged("no checksum");
        assertThat(only(keeper(new RenewalPlan.WaitUntil(until, damaged, damaged))).reason())
                .isEqualTo(Reason.ACME_STATE_DAMAGED);
        var unknown = new Why.NoIssuer(List.of("x"));
        assertThat(
                        findings.news(
                                        keeper(new RenewalPlan.WaitUntil(until, unknown, unknown)),
                                        Map.of(),
                                        control(true))
                                .orElseThrow()
                                .findings())
                .as("translation tells of unknown issuers")
                .isEqualTo(Map.of(STEP, List.of()));
    }

    @Test
    void whereNothingWorksTheGatewayItselfIsAtFault() {
        KeeperState troubled = keeper(kept(), Optional.empty(), Optional.of("the disk is full"));

        Finding finding =
                findings.news(troubled, Map.of(), control(true))
                        .orElseThrow()
                        .findings()
                        .getOrDefault("acme", List.of())
                        .getFirst();

        assertThat(finding.reason()).isEqualTo(Reason.ACME_NOT_WORKING);
        assertThat(finding.object()).isEqualTo(ObjectRef.gateway("acme"));
        assertThat(finding.message()).contains("the disk is full");
    }
}
