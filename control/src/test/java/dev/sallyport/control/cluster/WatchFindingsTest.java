package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WatchFindingsTest {
    private static final long LONG = 60_000_000_000L;
    private static final Watched<?> SECRETS =
            new Watched<>(WatchedKind.SECRET, WatchScope.in("shop").withType("kubernetes.io/tls"));
    private static final Watched<?> SLICES =
            new Watched<>(WatchedKind.ENDPOINT_SLICE, WatchScope.EVERYWHERE);

    private final WatchFindings findings = new WatchFindings();

    private static WatchState state(
            Watched<?> watched, long silence, long refusal, String trouble) {
        return new WatchState(
                watched.kind().kind(),
                watched.toString(),
                true,
                true,
                silence,
                refusal,
                Optional.of(new Trouble(refusal > 0 ? 403 : 0, trouble)));
    }

    private Finding only() {
        Map<String, List<Finding>> changed = findings.drain();
        assertThat(changed).hasSize(1);
        return changed.values().iterator().next().getFirst();
    }

    private void assertResolved() {
        assertThat(findings.drain().values()).containsExactly(List.of());
    }

    @Test
    void whatIsFineIsNotWorthAWord() {
        findings.judge(SECRETS, state(SECRETS, 0, 0, ""));
        assertThat(findings.drain()).isEmpty();
    }

    @Test
    void aRefusalNamesTheRightAndWhatToGrant() {
        findings.judge(SECRETS, state(SECRETS, 0, 1, "secrets is forbidden"));
        Finding said = only();
        assertThat(said.reason()).isEqualTo(Reason.WATCH_FORBIDDEN);
        assertThat(said.object()).isEqualTo(new ObjectRef("Watch", "shop", "secrets"));
        assertThat(said.message())
                .isEqualTo(
                        "secrets of type kubernetes.io/tls in namespace shop: 403: secrets is forbidden; what was"
                                + " known stays in service");
        assertThat(said.advice())
                .isEqualTo(
                        "Grant list and watch of secrets in namespace shop to the gateway's service account.");

        findings.judge(SLICES, state(SLICES, 0, 1, "no"));
        assertThat(only().advice())
                .isEqualTo(
                        "Grant list and watch of endpointslices in discovery.k8s.io in all namespaces to the gateway's"
                                + " service account, or name the namespaces it may watch (--watch-namespace).");
    }

    @Test
    void aFindingStaysTheSameUntilItEnds() {
        findings.judge(SECRETS, state(SECRETS, LONG, 0, "ConnectException"));
        assertThat(only().reason()).isEqualTo(Reason.WATCH_INTERRUPTED);
        findings.judge(SECRETS, state(SECRETS, 2 * LONG, 0, "SocketTimeoutException"));
        assertThat(findings.drain()).isEmpty();
        findings.judge(SECRETS, state(SECRETS, 0, 0, ""));
        assertResolved();
    }

    @Test
    void anApiServerThatIsAwayIsOneFindingNotOneForEachWatch() {
        findings.judge(SECRETS, state(SECRETS, LONG, 0, "ConnectException"));
        findings.drain();
        findings.judgeServer("https://api:6443", false, Optional.of(new Trouble(0, "refused")));
        findings.judge(SECRETS, state(SECRETS, LONG, 0, "ConnectException"));
        findings.judge(SLICES, state(SLICES, LONG, 0, "ConnectException"));
        assertThat(findings.drain().values().stream().flatMap(List::stream))
                .singleElement()
                .satisfies(said -> {
                    assertThat(said.reason()).isEqualTo(Reason.API_SERVER_UNREACHABLE);
                    assertThat(said.message()).startsWith("https://api:6443: refused;");
                });
        findings.judgeServer("https://api:6443", false, Optional.empty());
        assertThat(findings.drain()).isEmpty();
        findings.judgeServer("https://api:6443", true, Optional.empty());
        assertResolved();
    }

    @Test
    void aNamespaceThatDoesNotExistIsNamed() {
        findings.judgeNamespace("shpo", false);
        assertThat(only())
                .satisfies(said -> {
                    assertThat(said.reason()).isEqualTo(Reason.NAMESPACE_MISSING);
                    assertThat(said.object().name()).isEqualTo("shpo");
                    assertThat(said.advice()).contains("--watch-namespace");
                });
        findings.judgeNamespace("shpo", true);
        assertResolved();
    }

    @Test
    void whatTheGatewayDoesWithoutIsNoError() {
        findings.judge(
                SLICES,
                new WatchState(
                        "Namespace",
                        "namespaces",
                        false,
                        false,
                        0,
                        1,
                        Optional.of(new Trouble(403, ""))));
        assertThat(only())
                .satisfies(said -> {
                    assertThat(said.reason()).isEqualTo(Reason.WATCH_LIMITED);
                    assertThat(said.message()).contains("status 403");
                });
    }
}
