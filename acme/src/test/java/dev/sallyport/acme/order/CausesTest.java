package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.sallyport.acme.order.Causes.Step;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.Cause.Pace;
import dev.sallyport.acme.plan.Identifier;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.exception.AcmeUserActionRequiredException;
import org.shredzone.acme4j.toolbox.JSON;

class CausesTest {
    private static final Identifier A = Identifier.parse("a.example");
    private static final Identifier B = Identifier.parse("b.example");
    private static final Set<Identifier> BOTH = Set.of(A, B);
    private static final URL BASE = url("https://ca.example/");

    @ParameterizedTest
    @CsvSource({
        "serverInternal,ORDER,CaTrouble,TROUBLE",
        "badNonce,ORDER,CaTrouble,TROUBLE",
        "somethingNew,ORDER,CaTrouble,TROUBLE",
        "accountDoesNotExist,ORDER,AccountLost,OURS",
        "externalAccountRequired,ACCOUNT,AccountRefused,PEOPLE",
        "unsupportedContact,ACCOUNT,AccountRefused,PEOPLE",
        "unauthorized,ACCOUNT,AccountRefused,PEOPLE",
        "unauthorized,VALIDATION,ValidationFailed,VALIDATION",
        "unauthorized,ORDER,OrderRefused,PEOPLE",
        "connection,VALIDATION,ValidationFailed,VALIDATION",
        "dns,VALIDATION,ValidationFailed,VALIDATION",
        "tls,VALIDATION,ValidationFailed,VALIDATION",
        "incorrectResponse,VALIDATION,ValidationFailed,VALIDATION",
        "caa,VALIDATION,NameRefused,PEOPLE",
        "rejectedIdentifier,ORDER,NameRefused,PEOPLE",
        "unsupportedIdentifier,ORDER,NameRefused,PEOPLE",
        "badCSR,ORDER,OrderRefused,PEOPLE",
        "invalidProfile,ORDER,OrderRefused,PEOPLE",
        "alreadyReplaced,ORDER,OrderRefused,PEOPLE",
        "badPublicKey,ACCOUNT,AccountRefused,PEOPLE",
    })
    void problemsMean(String type, Step step, String kind, Pace pace) {
        Cause cause = Causes.of(new AcmeServerException(problem(type, "detail")), step, BOTH);
        assertThat(cause.getClass().getSimpleName()).isEqualTo(kind);
        assertThat(cause.pace()).isEqualTo(pace);
        assertThat(cause.detail()).isEqualTo(type + ": detail");
    }

    @Test
    void theNamesAtFaultAreTakenFromTheParts() {
        Problem problem =
                problem(
                        """
                        {"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"some",
                         "subproblems":[{"type":"urn:ietf:params:acme:error:rejectedIdentifier",
                           "detail":"blocked","identifier":{"type":"dns","value":"b.example"}}]}
                        """);
        assertThat(Causes.of(problem, Step.ORDER, BOTH))
                .isEqualTo(
                        new Cause.NameRefused(
                                Set.of(B), "rejectedIdentifier: some (b.example: blocked)"));
    }

    @Test
    void eachPartOfACompoundProblemIsTold() {
        StringBuilder parts = new StringBuilder();
        for (String name : List.of("a", "b", "c", "d", "e", "f", "g")) {
            parts.append(parts.isEmpty() ? "" : ",")
                    .append("{\"type\":\"urn:ietf:params:acme:error:caa\",")
                    .append(name.equals("b") ? "" : "\"detail\":\"no " + name + "\",")
                    .append("\"identifier\":{\"type\":\"dns\",\"value\":\"")
                    .append(name)
                    .append(".example\"}}");
        }
        Problem problem =
                problem(
                        "{\"type\":\"urn:ietf:params:acme:error:compound\",\"subproblems\":["
                                + parts
                                + "]}");
        assertThat(Causes.of(problem, Step.ORDER, BOTH).detail())
                .contains("(a.example: no a; b.example: caa; c.example: no c; d.example: no d;")
                .endsWith("; and 2 more)");
    }

    @Test
    void whatIsGoneIsLostButForTheAccount() {
        var gone = new GoneException("/order/1: gone", new AcmeException("HTTP 404"));
        assertThat(Causes.of(gone, Step.ORDER, BOTH)).isInstanceOf(Cause.OrderLost.class);
        assertThat(Causes.of(gone, Step.VALIDATION, BOTH)).isInstanceOf(Cause.OrderLost.class);
        assertThat(Causes.of(gone, Step.ACCOUNT, BOTH)).isInstanceOf(Cause.CaTrouble.class);
    }

    @Test
    void aLimitKeepsItsRetryAfter() {
        Instant until = Instant.parse("2026-03-01T12:00:00Z");
        var limited =
                new AcmeRateLimitedException(problem("rateLimited", "slow"), until, List.of());
        Cause cause = Causes.of(limited, Step.ORDER, BOTH);
        assertThat(((Cause.RateLimited) cause).until()).contains(until);
        assertThat(((Cause.RateLimited) cause).wholeAccount()).isFalse();
        assertThat(((Cause.RateLimited) Causes.of(limited, Step.ACCOUNT, BOTH)).wholeAccount())
                .isTrue();
    }

    @Test
    void whereToGoIsKept() {
        Problem problem =
                problem(
                        """
                        {"type":"urn:ietf:params:acme:error:userActionRequired","detail":"terms",
                         "instance":"https://ca.example/agree"}
                        """);
        Cause cause =
                Causes.of(
                        new AcmeUserActionRequiredException(
                                problem, URI.create("https://ca.example/tos")),
                        Step.ORDER,
                        BOTH);
        assertThat(((Cause.AccountRefused) cause).visit())
                .contains(URI.create("https://ca.example/agree"));
    }

    @Test
    void networksFail() {
        assertThat(
                        Causes.of(
                                new AcmeNetworkException(new IOException("refused")),
                                Step.ORDER,
                                BOTH))
                .isEqualTo(new Cause.Unreachable("refused"));
        assertThat(
                        Causes.of(
                                new AcmeNetworkException(new AddressRefusedException("private")),
                                Step.ORDER,
                                BOTH))
                .isEqualTo(new Cause.AddressRefused("private"));
    }

    @Test
    void aBusyCaIsLeftAloneByEverybody() {
        Instant until = Instant.parse("2026-03-01T12:00:00Z");
        var busy = new AcmeNetworkException(new BusyException("ca.example", 503, "", until));
        assertThat(Causes.of(busy, Step.ORDER, BOTH))
                .asInstanceOf(type(Cause.RateLimited.class))
                .satisfies(limited -> {
                    assertThat(limited.until()).contains(until);
                    assertThat(limited.wholeAccount()).isTrue();
                });
    }

    @Test
    void whatTheCaSaysIsFitToBePrinted() {
        assertThat(
                        Causes.of(
                                        problem(
                                                "{\"type\":\"about:blank\",\"detail\":\"a\\u001b[2Jb\"}"),
                                        Step.ORDER,
                                        BOTH)
                                .detail())
                .isEqualTo("about:blank: a\\u001b[2Jb");
    }

    private static Problem problem(String type, String detail) {
        return problem(
                "{\"type\":\"urn:ietf:params:acme:error:"
                        + type
                        + "\",\"detail\":\""
                        + detail
                        + "\"}");
    }

    private static Problem problem(String json) {
        return new Problem(JSON.parse(json), BASE);
    }

    private static URL url(String text) {
        try {
            return URI.create(text).toURL();
        } catch (MalformedURLException impossible) {
            throw new IllegalArgumentException(impossible);
        }
    }
}
