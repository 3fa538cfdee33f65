package dev.sallyport.control.cluster;

import static dev.sallyport.control.cluster.Slices.ready;
import static dev.sallyport.control.cluster.Slices.slice;
import static dev.sallyport.control.cluster.Slices.terminating;
import static dev.sallyport.control.cluster.Slices.unready;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.Resource;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReadinessGuardTest {
    /** Five times as long as a list is held back. */
    private static final long LASTS = Duration.ofMinutes(5).toNanos();

    private final ReadinessGuard guard = new ReadinessGuard(Duration.ofMinutes(1));

    private Set<String> doubted(long now, Endpoint... endpoints) {
        return guard.seen(slice("web", endpoints), now).doubted();
    }

    @Test
    void withoutAGapNothingIsDoubted() {
        doubted(0, ready("10.0.0.1"));
        assertThat(doubted(1, unready("10.0.0.1"))).isEmpty();
    }

    @Test
    void whoWasReadyBeforeAGapIsDoubtedSoonAfterAndLaterNot() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        assertThat(doubted(LASTS - 1, unready("10.0.0.1"))).containsExactly("10.0.0.1");
        assertThat(doubted(LASTS, ready("10.0.0.1"))).isEmpty();
        assertThat(doubted(LASTS, unready("10.0.0.1"))).isEmpty();
    }

    @Test
    void whoWasNotReadyBeforeIsNotDoubted() {
        doubted(0, ready("10.0.0.1"), unready("10.0.0.2"));
        guard.gap(0);
        assertThat(doubted(1, unready("10.0.0.1"), unready("10.0.0.2"), unready("10.0.0.3")))
                .containsExactly("10.0.0.1");
    }

    @Test
    void whoTerminatesIsNotDoubted() {
        doubted(0, ready("10.0.0.1"), ready("10.0.0.2"));
        guard.gap(0);
        assertThat(doubted(1, terminating("10.0.0.1"), unready("10.0.0.2")))
                .containsExactly("10.0.0.2");
        assertThat(doubted(2, terminating("10.0.0.2"))).isEmpty();
    }

    @Test
    void whoIsReadyAgainIsNotDoubtedAnyMoreAndAnotherChangeLeavesTheDoubt() {
        doubted(0, ready("10.0.0.1"), ready("10.0.0.2"));
        guard.gap(0);
        doubted(1, unready("10.0.0.1"), unready("10.0.0.2"));
        assertThat(doubted(2, unready("10.0.0.1"), unready("10.0.0.2"), unready("10.0.0.3")))
                .containsExactlyInAnyOrder("10.0.0.1", "10.0.0.2");
        assertThat(doubted(3, ready("10.0.0.1"), unready("10.0.0.2"))).containsExactly("10.0.0.2");
        assertThat(doubted(4, ready("10.0.0.1"), ready("10.0.0.2"))).isEmpty();
        assertThat(guard.over(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void aDoubtIsOverAfterItsTimeHoweverOftenTheSliceChanges() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        doubted(10, unready("10.0.0.1"));
        doubted(11, unready("10.0.0.1"), unready("10.0.0.2"));
        assertThat(guard.over(LASTS - 1)).isEmpty();
        assertThat(guard.over(LASTS))
                .containsExactly(slice("web", unready("10.0.0.1"), unready("10.0.0.2")));
        assertThat(guard.over(LASTS)).isEmpty();
        assertThat(doubted(LASTS + 1, unready("10.0.0.1"))).isEmpty();
    }

    /** Nobody could say otherwise meanwhile, nor for some time after. */
    @Test
    void aDoubtIsNotOverWhileThereIsAnotherGap() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        doubted(10, unready("10.0.0.1"));
        long late = LASTS - 1;
        guard.gap(late);
        assertThat(guard.over(late + LASTS - 1)).isEmpty();
        assertThat(doubted(late + LASTS - 1, unready("10.0.0.1"))).containsExactly("10.0.0.1");
        assertThat(guard.over(late + LASTS)).hasSize(1);
    }

    @Test
    void aDoubtIsOverThoughNobodyAskedWhatIsOver() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        doubted(10, unready("10.0.0.1"));
        assertThat(doubted(LASTS, unready("10.0.0.1"), ready("10.0.0.2"))).isEmpty();
        assertThat(guard.over(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void whatIsGoneIsForgotten() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        Resource.OfEndpointSlice web = slice("web", unready("10.0.0.1"));
        guard.seen(web, 1);
        guard.gone(web.ref());
        assertThat(guard.over(Long.MAX_VALUE)).isEmpty();
        assertThat(doubted(2, unready("10.0.0.1"))).isEmpty();
    }

    @Test
    void whatWasInServiceBeforeTheStartIsBefore() {
        guard.gap(0);
        Resource.OfEndpointSlice unready = slice("web", unready("10.0.0.1"));
        assertThat(guard.inService(slice("web", ready("10.0.0.1")), 0)).isEmpty();
        assertThat(guard.seen(unready, 1).doubted()).containsExactly("10.0.0.1");
    }

    @Test
    void whatWasSeenBeforeItWasKnownToBeInServiceIsToldAgain() {
        guard.gap(0);
        Resource.OfEndpointSlice unready = slice("web", unready("10.0.0.1"));
        guard.seen(unready, 0);
        assertThat(guard.inService(slice("web", ready("10.0.0.1")), 1))
                .contains(unready.doubting(Set.of("10.0.0.1")));
        assertThat(guard.inService(slice("other", ready("10.0.0.1")), 1)).isEmpty();
    }

    @Test
    void withoutConditionsAnEndpointIsReady() {
        guard.seen(
                slice("web", new EndpointBuilder().withAddresses("10.0.0.1").build(), ready("b")),
                0);
        guard.gap(0);
        assertThat(doubted(1, unready("10.0.0.1"))).containsExactly("10.0.0.1");
    }

    @Test
    void aSliceWithoutEndpointsIsNoTrouble() {
        doubted(0, ready("10.0.0.1"));
        guard.gap(0);
        assertThat(doubted(1)).isEmpty();
        assertThat(doubted(2, new Endpoint())).isEmpty();
    }
}
