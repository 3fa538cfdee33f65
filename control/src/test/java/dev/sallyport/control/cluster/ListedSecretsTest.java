package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import org.junit.jupiter.api.Test;

class ListedSecretsTest {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "default", "s");

    private final ListedSecrets listed = new ListedSecrets();

    private static ObjectVersion version(int number) {
        return new ObjectVersion("uid", Integer.toString(number));
    }

    private boolean isToldAtTheBeginning(int version) {
        return listed.show(SECRET, version(version), false, true);
    }

    private boolean isTold(int version) {
        return listed.show(SECRET, version(version), false, false);
    }

    @Test
    void allAreToldAtTheBeginningAndThoseThatAreWantedAfterwards() {
        assertThat(isToldAtTheBeginning(1)).isTrue();
        assertThat(isTold(2)).isFalse();
        assertThat(listed.show(SECRET, version(3), true, false)).isTrue();
        assertThat(isTold(4)).as("what was wanted is followed").isTrue();
        assertThat(listed.version(SECRET)).contains(version(4));
    }

    @Test
    void whatWasToldIsKnownUntilAChangeIsPassedOver() {
        assertThat(listed.follow(SECRET)).as("it is in no list").isFalse();
        isToldAtTheBeginning(1);
        assertThat(listed.follow(SECRET)).isTrue();
        assertThat(isTold(2)).isTrue();
        assertThat(listed.follow(SECRET)).isTrue();
    }

    @Test
    void whatWasPassedOverIsNotKnown() {
        isToldAtTheBeginning(1);
        isTold(2);
        assertThat(listed.follow(SECRET)).isFalse();
        assertThat(isTold(3)).as("it is followed from now on").isTrue();
        listed.passOver(SECRET);
        assertThat(isTold(4)).isFalse();
        assertThat(listed.follow(SECRET)).isFalse();
    }

    @Test
    void whatIsFollowedIsNotToldTwiceInOneVersion() {
        isToldAtTheBeginning(1);
        listed.follow(SECRET);
        assertThat(isTold(1)).isFalse();
        assertThat(isTold(2)).isTrue();
        assertThat(listed.show(SECRET, ObjectVersion.NONE, false, false)).isTrue();
        assertThat(listed.show(SECRET, ObjectVersion.NONE, false, false)).isTrue();
    }

    @Test
    void whatComesBackIsAnotherOne() {
        isToldAtTheBeginning(1);
        listed.follow(SECRET);
        listed.remove(SECRET);
        assertThat(listed.contains(SECRET)).isFalse();
        assertThat(isTold(2)).isFalse();
        assertThat(listed.contains(SECRET)).isTrue();
    }
}
