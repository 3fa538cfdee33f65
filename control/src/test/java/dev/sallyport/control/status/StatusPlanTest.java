package dev.sallyport.control.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StatusPlanTest {
    private static final LoadBalancerAddress ONE = new LoadBalancerAddress.Ip("192.0.2.1");
    private static final LoadBalancerAddress TWO = new LoadBalancerAddress.Ip("192.0.2.2");
    private static final LoadBalancerAddress NAME = new LoadBalancerAddress.Name("lb.example.com");
    private static final String US = "sallyport/here/lease";
    private static final String THEM = "sallyport/elsewhere/lease";

    private final StatusPlan plan = new StatusPlan(Optional.of(List.of(ONE, NAME)), US);
    private final StatusPlan noneYet = new StatusPlan(Optional.of(List.of()), US);
    private final StatusPlan unknown = new StatusPlan(Optional.empty(), US);

    @Test
    void ofOursEachSaysTheAddresses() {
        assertThat(written(plan, true, List.of())).contains(List.of(ONE, NAME));
        assertThat(written(plan, true, List.of(TWO), US)).contains(List.of(ONE, NAME));
    }

    @Test
    void whatIsRightIsNotWrittenAgainWhoeverWroteItInWhateverOrder() {
        assertThat(written(plan, true, List.of(ONE, NAME), US)).isEmpty();
        assertThat(written(plan, true, List.of(NAME, ONE))).isEmpty();
        assertThat(written(plan, true, List.of(ONE))).isPresent();
        assertThat(written(plan, true, List.of(ONE, ONE))).isPresent();
    }

    @Test
    void whatAnotherControllerLeftOnOursIsWrittenOver() {
        assertThat(written(plan, true, List.of(TWO), "nginx")).contains(List.of(ONE, NAME));
    }

    @Test
    void whatWeWroteIsTakenAwayWhenTheClassIsHandedOver() {
        assertThat(written(plan, false, List.of(ONE, NAME), US)).contains(List.of());
    }

    @Test
    void whatOthersWroteIsLeftThoughItIsTheSame() {
        assertThat(written(plan, false, List.of(ONE, NAME))).isEmpty();
        assertThat(written(plan, false, List.of(ONE, NAME), THEM)).isEmpty();
        assertThat(written(plan, false, List.of(TWO), "nginx")).isEmpty();
    }

    @Test
    void whereNoAddressIsThereYetNothingOfOursIsSaid() {
        assertThat(written(noneYet, true, List.of())).isEmpty();
        assertThat(written(noneYet, true, List.of(ONE), US)).contains(List.of());
        assertThat(written(noneYet, true, List.of(ONE), "nginx")).isEmpty();
    }

    @Test
    void whereTheAddressesAreNotKnownWhatWasWrittenStaysOnOursOnly() {
        assertThat(written(unknown, true, List.of(ONE), US)).isEmpty();
        assertThat(written(unknown, true, List.of())).isEmpty();
        assertThat(written(unknown, false, List.of(ONE), US)).contains(List.of());
    }

    private static Optional<List<LoadBalancerAddress>> written(
            StatusPlan plan, boolean ours, List<LoadBalancerAddress> now, String... writers) {
        var standing =
                new IngressStanding(
                        new ObjectRef("Ingress", "default", "shop"),
                        new ObjectVersion("uid", "1"),
                        ours,
                        now,
                        Set.of(writers));
        return plan.change(standing).map(StatusPlan.Change::addresses);
    }
}
