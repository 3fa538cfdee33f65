package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SecretLookupsTest {
    private final SecretLookups lookups = new SecretLookups(4, 2, 5);

    private static ObjectRef ref(int number) {
        return new ObjectRef("Secret", "default", "s" + number);
    }

    private static List<ObjectRef> refs(int... numbers) {
        return IntStream.of(numbers).mapToObj(SecretLookupsTest::ref).toList();
    }

    private void want(int count) {
        IntStream.range(0, count).forEach(number -> lookups.want(ref(number)));
    }

    private List<ObjectRef> opened() {
        List<ObjectRef> opened = new ArrayList<>();
        Optional<ObjectRef> next = lookups.next();
        while (next.isPresent()) {
            opened.add(next.get());
            next = lookups.next();
        }
        return opened;
    }

    @Test
    void soManyAreOpenedAtATime() {
        want(3);
        assertThat(opened()).isEqualTo(refs(0, 1));
        lookups.answered(ref(0));
        assertThat(opened()).isEqualTo(refs(2));
        assertThat(lookups.open()).isEqualTo(3);
    }

    @Test
    void soManyAreOpenAtMostAndOthersAreReadInTurn() {
        want(8);
        assertThat(opened()).hasSize(2);
        refs(0, 1).forEach(lookups::answered);
        assertThat(opened()).hasSize(2);
        refs(2, 3).forEach(lookups::answered);
        assertThat(opened()).isEmpty();
        assertThat(lookups.unwatched()).isEqualTo(4);

        assertThat(lookups.toRead(3, 1)).isEqualTo(refs(4, 5, 6));
        lookups.answered(ref(4));
        assertThat(lookups.toRead(2, 1)).as("unknown ones first").isEqualTo(refs(7, 4));
        refs(4, 5, 6, 7).forEach(lookups::answered);
        assertThat(lookups.toRead(9, 2)).isEqualTo(refs(4, 5));
        assertThat(lookups.toRead(9, 2)).isEqualTo(refs(6, 7));
    }

    /** Else slow answers would have an API server asked for the same again and again. */
    @Test
    void noneIsReadTwiceAtATimeNorMoreThanSoManyAtOnce() {
        want(14);
        opened();
        refs(0, 1).forEach(lookups::answered);
        opened();
        refs(2, 3).forEach(lookups::answered);
        assertThat(lookups.toRead(100, 20)).isEqualTo(refs(4, 5, 6, 7, 8));
        assertThat(lookups.toRead(100, 20)).isEmpty();
        assertThat(lookups.unwatched()).isEqualTo(10);
        lookups.unanswered(ref(4));
        lookups.answered(ref(5));
        lookups.drop(ref(6));
        assertThat(lookups.wants(ref(6))).isFalse();
        assertThat(lookups.toRead(100, 1)).as("one again").isEqualTo(refs(9, 10, 5));
        assertThat(lookups.toRead(100, 20)).isEmpty();
    }

    @Test
    void whereThereIsRoomAWatchIsOpenedInPlaceOfReading() {
        want(2);
        assertThat(lookups.toRead(9, 9)).isEmpty();
        assertThat(lookups.unwatched()).isZero();
    }

    @Test
    void whatIsDroppedMakesRoom() {
        want(5);
        opened();
        refs(0, 1).forEach(lookups::answered);
        opened();
        lookups.drop(ref(2));
        lookups.drop(ref(4));
        assertThat(lookups.wants(ref(2))).isFalse();
        assertThat(opened()).isEmpty();
        lookups.want(ref(5));
        assertThat(opened()).isEqualTo(refs(5));
    }

    @Test
    void wantingTwiceIsWantingOnce() {
        want(1);
        opened();
        lookups.want(ref(0));
        assertThat(opened()).isEmpty();
        lookups.answered(ref(0));
        lookups.answered(ref(0));
        assertThat(lookups.open()).isEqualTo(1);
    }

    @Test
    void anAnswerAboutNobodysSecretIsNothing() {
        lookups.answered(ref(7));
        assertThat(lookups.wants(ref(7))).isFalse();
        assertThat(lookups.open()).isZero();
    }
}
