package dev.sallyport.control.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.source.FileState.Barred;
import dev.sallyport.control.source.FileState.Changing;
import dev.sallyport.control.source.FileState.Settled;
import dev.sallyport.control.source.Step.Trust;
import java.nio.file.attribute.FileTime;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PatienceTest {
    private static final long SETTLE = 8;
    private static final long GRACE = 100;
    private static final Patience PATIENCE = new Patience(SETTLE, GRACE);
    private static final FileStamp ONE = stamp(1, "inode 1");
    private static final FileStamp EDITED = stamp(2, "inode 1");
    private static final FileStamp OTHER = stamp(3, "inode 2");
    private static final long NOW = 1_000;

    @Test
    void aNewFileIsReadWhenItHasSettled() {
        FileState state = stay(PATIENCE.look(null, there(ONE), NOW));
        assertThat(PATIENCE.due(state)).isEqualTo(OptionalLong.of(NOW + SETTLE));
        assertThat(PATIENCE.look(state, there(ONE), NOW + SETTLE - 1))
                .isEqualTo(new Step.Stay(state));
        assertThat(PATIENCE.look(state, there(ONE), NOW + SETTLE))
                .isEqualTo(new Step.Read(ONE, Trust.TENTATIVE));
    }

    @Test
    void everyChangeBeginsTheWaitAnew() {
        FileState state = stay(PATIENCE.look(new Changing(ONE, 0, 0, false), there(EDITED), NOW));
        assertThat(state).isEqualTo(new Changing(EDITED, NOW, 0, false));
        FileState written = stay(PATIENCE.look(state, there(EDITED, Notice.WRITTEN), NOW + SETTLE));
        assertThat(PATIENCE.due(written)).isEqualTo(OptionalLong.of(NOW + 2 * SETTLE));
    }

    @Test
    void aRenameIsReadAtOnce() {
        assertThat(PATIENCE.look(settled(), there(OTHER, Notice.RENAMED), NOW))
                .isEqualTo(new Step.Read(OTHER, Trust.WHOLE));
        assertThat(
                        PATIENCE.look(
                                new Changing(ONE, NOW, NOW, true),
                                there(OTHER, Notice.RENAMED),
                                NOW))
                .isEqualTo(new Step.Read(OTHER, Trust.WHOLE));
    }

    @Test
    void anotherFileThatIsWrittenToIsNotWhole() {
        for (Notice notice : new Notice[] {Notice.NONE, Notice.WRITTEN}) {
            assertThat(PATIENCE.look(settled(), there(OTHER, notice), NOW))
                    .isEqualTo(new Step.Stay(new Changing(OTHER, NOW, NOW, false)));
        }
    }

    @Test
    void theSameFileIsNotWholeWhateverIsSaid() {
        assertThat(PATIENCE.look(settled(), there(EDITED, Notice.RENAMED), NOW))
                .isEqualTo(new Step.Stay(new Changing(EDITED, NOW, NOW, false)));
    }

    @Test
    void aFileMadeAnewIsNotWhole() {
        FileState missing = stay(PATIENCE.look(settled(), new Sight.Absent(), NOW));
        assertThat(PATIENCE.look(missing, there(OTHER, Notice.RENAMED), NOW))
                .isEqualTo(new Step.Stay(new Changing(OTHER, NOW, NOW, false)));
    }

    @Test
    void aFileThatChangesAgainSoonHasToBeStillForLonger() {
        var justRead = new Settled(ONE, NOW - GRACE + 1, false);
        FileState state = stay(PATIENCE.look(justRead, there(EDITED), NOW));
        assertThat(PATIENCE.due(state)).isEqualTo(OptionalLong.of(NOW + GRACE));
        assertThat(PATIENCE.look(state, there(EDITED), NOW + GRACE))
                .isEqualTo(new Step.Read(EDITED, Trust.FINAL));
    }

    @Test
    void doubtedContentsAreBelievedAfterTheGrace() {
        var changing = new Changing(ONE, NOW - SETTLE, NOW - SETTLE, false);
        FileState doubted = PATIENCE.doubted(changing, ONE, NOW);
        assertThat(PATIENCE.due(doubted)).isEqualTo(OptionalLong.of(NOW - SETTLE + GRACE));
        assertThat(PATIENCE.look(doubted, there(ONE), NOW - SETTLE + GRACE))
                .isEqualTo(new Step.Read(ONE, Trust.FINAL));
    }

    @Test
    void aDueLookAlwaysMovesOn() {
        // A file that is written all the time, tried in a pause, and doubted again and again.
        long began = NOW;
        long now = NOW + TimeUnit.SECONDS.toNanos(11);
        FileState state = new Changing(ONE, now, began, true);
        assertThat(PATIENCE.look(state, there(ONE), now + SETTLE))
                .isEqualTo(new Step.Read(ONE, Trust.TENTATIVE));
        FileState doubted = PATIENCE.doubted(state, ONE, now + SETTLE);
        assertThat(PATIENCE.due(doubted)).isEqualTo(OptionalLong.of(now + GRACE));
    }

    @Test
    void aMissingFileIsForgottenAfterTheGrace() {
        FileState missing = stay(PATIENCE.look(settled(), new Sight.Absent(), NOW));
        assertThat(PATIENCE.due(missing)).isEqualTo(OptionalLong.of(NOW + GRACE));
        assertThat(PATIENCE.look(missing, new Sight.Absent(), NOW + GRACE - 1))
                .isEqualTo(new Step.Stay(missing));
        assertThat(PATIENCE.look(missing, new Sight.Absent(), NOW + GRACE))
                .isEqualTo(new Step.Forget());
    }

    @Test
    void aFileThatCannotBeSeenIsReportedAfterTheGrace() {
        FileState hidden = stay(PATIENCE.look(settled(), new Sight.Hidden("why"), NOW));
        assertThat(PATIENCE.look(hidden, new Sight.Hidden("why"), NOW + GRACE - 1))
                .isEqualTo(new Step.Stay(hidden));
        assertThat(PATIENCE.look(hidden, new Sight.Hidden("why"), NOW + GRACE))
                .isEqualTo(new Step.Report(new Barred(null), "why"));
    }

    @Test
    void aNewFileThatCannotBeSeenIsReportedAtOnce() {
        assertThat(PATIENCE.look(null, new Sight.Hidden("why"), NOW))
                .isEqualTo(new Step.Report(new Barred(null), "why"));
    }

    @Test
    void whatWasReportedUnreadableIsTriedAtEveryLookAndHasNoTimeOfItsOwn() {
        var barred = new Barred(ONE);
        assertThat(PATIENCE.due(barred)).isEmpty();
        assertThat(PATIENCE.look(barred, there(ONE), NOW))
                .isEqualTo(new Step.Read(ONE, Trust.FINAL));
        assertThat(PATIENCE.look(barred, there(EDITED), NOW))
                .isEqualTo(new Step.Stay(new Changing(EDITED, NOW, NOW, false)));
    }

    @Test
    void aFileIsComparedUntilTheClockOfTheFileSystemHasMovedOn() {
        var fresh = new Settled(ONE, NOW, false);
        assertThat(PATIENCE.look(fresh, there(ONE), NOW + 1)).isEqualTo(new Step.Compare(fresh));
        assertThat(PATIENCE.compared(fresh, NOW + TimeUnit.SECONDS.toNanos(2)).sure()).isFalse();
        assertThat(PATIENCE.compared(fresh, NOW + TimeUnit.SECONDS.toNanos(4)).sure()).isTrue();
    }

    @Test
    void timesMayOverflow() {
        long now = Long.MAX_VALUE - 5;
        FileState state = stay(PATIENCE.look(null, there(ONE), now));
        assertThat(PATIENCE.look(state, there(ONE), now + 1)).isEqualTo(new Step.Stay(state));
        assertThat(PATIENCE.look(state, there(ONE), now + SETTLE))
                .isEqualTo(new Step.Read(ONE, Trust.TENTATIVE));
    }

    private static FileState stay(Step step) {
        assertThat(step).isInstanceOf(Step.Stay.class);
        return ((Step.Stay) step).state();
    }

    private static Settled settled() {
        return new Settled(ONE, 0, true);
    }

    private static Sight there(FileStamp stamp) {
        return there(stamp, Notice.NONE);
    }

    private static Sight there(FileStamp stamp, Notice notice) {
        return new Sight.Present(stamp, notice);
    }

    private static FileStamp stamp(long modified, Object key) {
        return new FileStamp(FileTime.fromMillis(modified), 10, key, true);
    }
}
