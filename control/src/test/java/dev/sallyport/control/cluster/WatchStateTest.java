package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.control.cluster.WatchState.Condition;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WatchStateTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Optional<Trouble> REFUSED = Optional.of(new Trouble(403, "not you"));

    private static WatchState listed(String kind, String what) {
        return new WatchState(kind, what, true, true, SECOND, 0, Optional.empty());
    }

    private static WatchState unlisted(String kind, String what) {
        return new WatchState(kind, what, true, false, SECOND, 0, Optional.empty());
    }

    private static WatchState refused(String kind, String what, long seconds) {
        return new WatchState(kind, what, true, false, SECOND, seconds * SECOND, REFUSED);
    }

    private static WatchState optional(long silence, long refusal) {
        return new WatchState(
                "Namespace", "namespaces", false, false, silence, refusal, Optional.empty());
    }

    @Test
    void allListsThatAreNeededAreWaitedFor() {
        assertThat(
                        WatchState.awaited(
                                List.of(
                                        listed("Ingress", "ingresses"),
                                        unlisted("Secret", "secrets"))))
                .contains("the list of secrets");
        assertThat(WatchState.awaited(List.of(listed("Ingress", "ingresses")))).isEmpty();
    }

    @Test
    void whyIsSaidAsFarAsItIsKnown() {
        assertThat(WatchState.awaited(List.of(refused("Secret", "secrets", 1))))
                .contains("the list of secrets (403: not you)");
    }

    @Test
    void ofManyAFewAreNamed() {
        assertThat(
                        WatchState.awaited(
                                List.of(
                                        unlisted("A", "a"),
                                        unlisted("B", "b"),
                                        unlisted("C", "c"),
                                        unlisted("D", "d"),
                                        unlisted("E", "e"))))
                .contains("the list of a; the list of b; the list of c; and 2 more");
    }

    @Test
    void aKindThatIsRefusedEverywhereIsWaitedForForEver() {
        assertThat(
                        WatchState.awaited(
                                List.of(
                                        listed("Ingress", "ingresses"),
                                        refused("Secret", "secrets", 100_000))))
                .isPresent();
    }

    @Test
    void oneNamespaceOfSeveralIsWaitedForAWhile() {
        WatchState shop = listed("Secret", "secrets in namespace shop");
        assertThat(WatchState.awaited(List.of(shop, refused("Secret", "closed", 9)))).isPresent();
        assertThat(WatchState.awaited(List.of(shop, refused("Secret", "closed", 10)))).isEmpty();
        assertThat(WatchState.awaited(List.of(shop, unlisted("Secret", "slow")))).isPresent();
    }

    @Test
    void whatTheGatewayCanDoWithoutIsWaitedForUntilItIsRefusedOrSlow() {
        assertThat(WatchState.awaited(List.of(optional(SECOND, 0)))).isPresent();
        assertThat(WatchState.awaited(List.of(optional(SECOND, 1)))).isEmpty();
        assertThat(WatchState.awaited(List.of(optional(10 * SECOND, 0)))).isEmpty();
    }

    @Test
    void aWatchIsSilentAfterFifteenSeconds() {
        assertThat(silentFor(15 * SECOND)).isEqualTo(Condition.FINE);
        assertThat(silentFor(15 * SECOND + 1)).isEqualTo(Condition.SILENT);
        assertThat(refused("Secret", "secrets", 1).condition()).isEqualTo(Condition.REFUSED);
    }

    private static Condition silentFor(long nanos) {
        return new WatchState("A", "a", true, true, nanos, 0, Optional.empty()).condition();
    }
}
