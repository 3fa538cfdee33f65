package dev.sallyport.control.stored;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StaleStartTest {
    private static final AcmeRules ACME =
            new AcmeRules(
                    List.of("first"),
                    true,
                    AllowList.EVERYTHING,
                    false,
                    "edge",
                    "sallyport",
                    Optional.empty());

    private final List<SourceUpdate> updates = new ArrayList<>();
    private final Set<ObjectRef> expected = new HashSet<>();
    private final List<Duration> ages = new ArrayList<>();
    private Instant now = States.AS_OF.plusSeconds(90);
    private final StaleStart start =
            new StaleStart(
                    updates::add,
                    (inService, age) -> {
                        inService.forEach(resource -> expected.add(resource.ref()));
                        ages.add(age);
                    },
                    Optional.of(new ObjectRef("Secret", "edge", "default")),
                    Optional.of(ACME),
                    () -> now);

    @Test
    void aSourceThatSpeaksFirstIsHandedOnAsItIs() {
        start.submit(list("a"));
        fallBackTo(States.state(1));
        assertThat(updates).containsExactly(list("a"));
        assertThat(start.isFresh()).isTrue();
        assertThat(expected).isEmpty();
    }

    @Test
    void theSourceLearnsWhatIsInServiceButForSecretsWhichItIsAskedForByName() {
        fallBackTo(States.state(1));
        assertThat(start.staleSince()).contains(States.AS_OF);
        assertThat(start.isFresh()).isFalse();
        assertThat(expected)
                .containsExactlyInAnyOrder(
                        new ObjectRef("IngressClass", "", "sallyport"),
                        new ObjectRef("ConfigMap", "edge", "tuning"),
                        new ObjectRef("Ingress", "default", "host-0"),
                        new ObjectRef("Service", "default", "host-0"),
                        new ObjectRef("EndpointSlice", "default", "host-0-1"));
        assertThat(ages).containsExactly(Duration.ofSeconds(90));
    }

    private static ObjectRef issued(String host) {
        return ACME.secret(new CertificateId(host));
    }

    @Test
    void aClockThatWasSetBackMakesNothingYounger() {
        now = States.AS_OF.minusSeconds(90);
        fallBackTo(States.state(1));
        assertThat(ages).containsExactly(Duration.ZERO);
    }

    /** Nobody is to wait for news of them while nobody can have any. */
    @Test
    void ofSecretsWithoutAStoredCertificateNothingIsSaid() {
        List<Resource> objects = new ArrayList<>(States.host("with"));
        objects.addAll(States.host("without"));
        fallBackTo(
                new StoredState(States.AS_OF, objects, List.of(States.certificate("with", "01"))));
        assertThat(updates.getFirst().unreadable())
                .containsExactlyInAnyOrder(
                        new ObjectRef("Secret", "default", "without"),
                        new ObjectRef("Secret", "edge", "default"),
                        issued("with.example.com"),
                        issued("without.example.com"));
    }

    @Test
    void theFirstUpdateOfTheSourceEndsStaleness() {
        fallBackTo(States.state(2));
        start.submit(list("host-1"));
        assertThat(updates).hasSize(2);
        assertThat(updates.getLast().changes()).isEqualTo(list("host-1").changes());
        assertThat(updates.getLast().findings()).containsEntry(SourceUpdate.STALENESS, List.of());
        assertThat(start.staleSince()).isEmpty();
        assertThat(start.isFresh()).isTrue();
    }

    @Test
    void laterUpdatesAreHandedOnAsTheyAre() {
        fallBackTo(States.state(1));
        start.submit(list("host-0"));
        SourceUpdate later = new SourceUpdate(List.of(), Map.of());
        start.submit(later);
        assertThat(updates.getLast()).isSameAs(later);
    }

    @Test
    void theFileIsUsedOnce() {
        fallBackTo(States.state(1));
        fallBackTo(States.state(1));
        assertThat(updates).hasSize(1);
    }

    @Test
    void whereThereIsNoFileTheSourceIsWaitedFor() {
        start.fallBack(Optional.empty(), "silence");
        assertThat(updates).isEmpty();
        start.submit(list("a"));
        assertThat(updates).containsExactly(list("a"));
    }

    /** A round before the source has spoken would serve nothing at all, and call that ready. */
    @Test
    void aRefusalIsToldWithTheFirstList() {
        Finding why = Finding.of(Reason.STORED_STATE_REFUSED, LastKnownGood.REF, "bad", "Mend it.");
        start.fallBack(Optional.of(Parsed.rejected(why)), "silence");
        assertThat(updates).isEmpty();
        assertThat(start.staleSince()).isEmpty();
        start.submit(list("a"));
        assertThat(updates.getFirst().changes()).isEqualTo(list("a").changes());
        assertThat(updates.getFirst().findings().values()).contains(List.of(why));
    }

    @Test
    void whatCouldNotBeReadOfTheFileIsToldWhileItIsServed() {
        Finding why = Finding.of(Reason.STORED_STATE_REFUSED, LastKnownGood.REF, "bad", "Mend it.");
        fallBackTo(new StoredState(States.AS_OF, States.host("a"), List.of(), List.of(why)));
        assertThat(updates.getFirst().findings().values()).contains(List.of(why));
        start.submit(list("a"));
        assertThat(updates.getLast().findings().values()).allMatch(List::isEmpty);
    }

    private void fallBackTo(StoredState state) {
        start.fallBack(Optional.of(Parsed.usable(state)), "silence");
    }

    private static SourceUpdate list(String name) {
        return new SourceUpdate(
                States.host(name).stream().map(ResourceChange::put).toList(), Map.of());
    }
}
