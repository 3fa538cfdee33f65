package dev.sallyport.control.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FolderNotifications.Change;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real files; time and notifications are the test's. */
class FolderFilesTest {
    private static final Duration SETTLE = Duration.ofMillis(8);
    private static final Duration GRACE = Duration.ofMillis(100);

    @TempDir Path temp;

    private final Guarded access = new Guarded();
    private final TreeMap<String, Integer> served = new TreeMap<>(); // Service to its port
    private final Map<String, List<Finding>> said = new HashMap<>();
    private final List<String> everSaid = new ArrayList<>();
    private final List<String> everRemoved = new ArrayList<>();
    private final Set<Path> watched = new HashSet<>();
    private Path folder = Path.of("");
    private long now = TimeUnit.HOURS.toNanos(1);
    private FolderSettings settings = settings(100, 8);
    private FolderFiles files = files();

    /** A file system with permissions, for a test that may run as root. */
    private static final class Guarded implements FileAccess {
        final Set<Path> unreadable = new HashSet<>();
        final Set<Path> closed = new HashSet<>(); // folders that cannot be entered
        int opened;

        @Override
        public BasicFileAttributes attributes(Path path, LinkOption... options) throws IOException {
            if (closed.contains(path.getParent())) {
                throw new AccessDeniedException(path.toString());
            }
            return SYSTEM.attributes(path, options);
        }

        @Override
        public InputStream open(Path file) throws IOException {
            if (unreadable.contains(file)) {
                throw new AccessDeniedException(file.toString());
            }
            opened++;
            return SYSTEM.open(file);
        }
    }

    // Files that are written in place

    @Test
    void aFileWrittenInPlaceCountsWhenItHasSettled() throws Exception {
        start("a.yaml", service("a", 80));
        write("a.yaml", service("a", 81));
        pass(SETTLE.minusNanos(1));
        assertThat(served).containsEntry("a", 80);
        pass(Duration.ofNanos(1));
        assertThat(served).containsEntry("a", 81);
    }

    @Test
    void aFileThatDoesNotEndWithALineIsWaitedFor() throws Exception {
        start("a.yaml", service("a", 80));
        write("a.yaml", service("a", 8080).stripTrailing());
        pass(SETTLE);
        assertThat(served).containsEntry("a", 80);
        pass(GRACE.minus(SETTLE));
        assertThat(served).containsEntry("a", 8080);
    }

    @Test
    void jsonThatParsesIsNotWaitedFor() throws Exception {
        start("a.json", json("a", 80));
        write("a.json", json("a", 81));
        pass(SETTLE);
        assertThat(served).containsEntry("a", 81);
    }

    @Test
    void aFileWithFewerValuesIsWaitedFor() throws Exception {
        start("a.yaml", service("a", 80) + "    name: http\n");
        write(
                "a.yaml",
                "# longer, but less in it: the rest may be on its way\n" + service("a", 81));
        pass(SETTLE);
        assertThat(served).containsEntry("a", 80);
        pass(GRACE.minus(SETTLE));
        assertThat(served).containsEntry("a", 81);
    }

    @Test
    void aFileWithoutOneOfItsObjectsIsWaitedFor() throws Exception {
        start("a.yaml", service("a", 80) + "---\n" + service("b", 80));
        write("a.yaml", service("a", 81) + "---\n" + service("c", 80) + "    name: http\n");
        pass(SETTLE);
        assertThat(served).containsOnlyKeys("a", "b").containsEntry("a", 80);
        pass(GRACE.minus(SETTLE));
        assertThat(served).containsOnlyKeys("a", "c").containsEntry("a", 81);
    }

    @Test
    void aFileWithAnUnusableObjectIsWaitedFor() throws Exception {
        start("a.yaml", service("a", 80));
        write("a.yaml", service("a", 80).replace("port: 80", "port: eighty\n    name: b"));
        pass(SETTLE);
        assertThat(everSaid).isEmpty();
        pass(GRACE.minus(SETTLE));
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.OBJECT_INVALID);
        assertThat(served).containsEntry("a", 80);
    }

    @Test
    void aWriterThatPausedIsWaitedFor() throws Exception {
        start("a.yaml", service("a", 80));
        write("a.yaml", service("a", 81)); // looks complete
        pass(SETTLE);
        assertThat(served).containsEntry("a", 81);
        write("a.yaml", service("a", 81) + "    name: http\n");
        pass(Duration.ofMillis(50));
        write("a.yaml", service("a", 82) + "    name: http\n");
        pass(Duration.ofMillis(99));
        assertThat(served).containsEntry("a", 81);
        pass(Duration.ofMillis(1));
        assertThat(served).containsEntry("a", 82);
    }

    @Test
    void noPartOfASlowlyWrittenFileIsServed() throws Exception {
        String before = service("a", 8080) + "---\n" + service("b", 8080);
        String after = service("a", 9090) + "---\n" + service("b", 9090);
        start("a.yaml", before);
        for (int length = 0; length < after.length(); length++) {
            write("a.yaml", after.substring(0, length));
            pass(Duration.ofMillis(20));
            assertThat(served).as(after.substring(0, length)).containsOnlyKeys("a", "b");
            assertThat(served.values()).containsOnly(8080);
        }
        write("a.yaml", after);
        pass(GRACE);
        assertThat(served.values()).containsOnly(9090);
        assertThat(everSaid).isEmpty();
    }

    @Test
    void aFileWrittenAnewWithTheSameContentsIsServedAsBefore() throws Exception {
        String text = service("a", 8080) + "---\n" + service("b", 8080);
        start("a.yaml", text);
        write("a.yaml", service("a", 80));
        pass(Duration.ofMillis(50));
        write("a.yaml", text);
        pass(GRACE);
        assertThat(served).containsOnlyKeys("a", "b");
        assertThat(served.values()).containsOnly(8080);
    }

    @Test
    void aNewFileThatIsNoYamlIsReportedWhenItIsStill() throws Exception {
        start("a.yaml", service("a", 80));
        write("b.yaml", "kind: [\n");
        pass(SETTLE);
        assertThat(everSaid).isEmpty();
        pass(GRACE);
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.FILE_UNREADABLE);
    }

    @Test
    void anEmptiedFileKeepsItsObjectsForGood() throws Exception {
        start("a.yaml", service("a", 80));
        write("a.yaml", "\n");
        pass(GRACE);
        pass(GRACE);
        assertThat(served).containsEntry("a", 80);
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.FILE_UNREADABLE);
        write("a.yaml", service("a", 80));
        pass(GRACE);
        assertThat(findings()).isEmpty();
    }

    // Files that are replaced

    @Test
    void aRenamedFileCountsAtOnce() throws Exception {
        start("a.yaml", service("a", 80));
        rename("a.yaml", service("a", 1).stripTrailing());
        tell(change("a.yaml", Notice.RENAMED));
        assertThat(served).containsEntry("a", 1);
    }

    @Test
    void oneRenameAfterAnotherCountsAtOnce() throws Exception {
        start("a.yaml", service("a", 80) + "---\n" + service("b", 80));
        for (int port = 1; port < 5; port++) {
            rename("a.yaml", service("a", port)); // b is missing, which makes the file doubtful
            tell(change("a.yaml", Notice.RENAMED));
            assertThat(served).containsEntry("a", port).containsEntry("b", 80);
        }
    }

    @Test
    void whatARenamedFileLacksGoesWhenItStaysAway() throws Exception {
        start("a.yaml", service("a", 80) + "---\n" + service("b", 80));
        rename("a.yaml", service("a", 81));
        tell(change("a.yaml", Notice.RENAMED));
        pass(GRACE.minusNanos(1));
        assertThat(served).containsOnlyKeys("a", "b");
        pass(Duration.ofNanos(1));
        assertThat(served).containsOnlyKeys("a");
    }

    @Test
    void aFileRenamedThereAndBackIsServedAsBefore() throws Exception {
        String text = service("a", 80) + "---\n" + service("b", 80);
        start("a.yaml", text);
        rename("a.yaml", service("a", 81));
        tell(change("a.yaml", Notice.RENAMED));
        assertThat(served).containsEntry("a", 81);
        rename("a.yaml", text);
        tell(change("a.yaml", Notice.RENAMED));
        pass(GRACE);
        assertThat(served).containsEntry("a", 80).containsEntry("b", 80);
    }

    @Test
    void aFileRemovedAndMadeAnewIsNotReadHalfWritten() throws Exception {
        String text = service("a", 80) + "---\n" + service("b", 80);
        start("a.yaml", text);
        Files.delete(folder.resolve("a.yaml"));
        Files.writeString(temp.resolve("another"), ""); // takes the inode, where they are reused
        Files.writeString(folder.resolve("a.yaml"), text.substring(0, text.length() / 2));
        tell(change("a.yaml", Notice.RENAMED.and(Notice.WRITTEN)));
        pass(Duration.ofMillis(50));
        assertThat(served).containsOnlyKeys("a", "b");
        write("a.yaml", text.replace("80", "81"));
        pass(GRACE);
        assertThat(served).containsEntry("a", 81).containsEntry("b", 81);
    }

    @Test
    void aFileMadeAnewAfterItWasSeenToBeGoneIsNotReadHalfWritten() throws Exception {
        start("a.yaml", service("a", 8080));
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        Files.writeString(folder.resolve("a.yaml"), service("a", 80).stripTrailing());
        tell(change("a.yaml", Notice.RENAMED));
        pass(SETTLE);
        assertThat(served).containsEntry("a", 8080);
    }

    @Test
    void withoutNotificationsNoFileIsWhole() throws Exception {
        start("a.yaml", service("a", 8080));
        rename("a.yaml", service("a", 80).stripTrailing());
        poll();
        assertThat(served).containsEntry("a", 8080);
        pass(SETTLE);
        assertThat(served).containsEntry("a", 8080);
        pass(GRACE);
        assertThat(served).containsEntry("a", 80);
    }

    @Test
    void aKubeletsSwapCountsAtOnce() throws Exception {
        start();
        Files.createDirectory(folder.resolve("..1"));
        Files.createDirectory(folder.resolve("..2"));
        Files.writeString(folder.resolve("..1/a.yaml"), service("a", 80));
        Files.writeString(folder.resolve("..2/a.yaml"), service("a", 1).stripTrailing());
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..data/a.yaml"));
        poll();
        pass(GRACE);
        Files.createSymbolicLink(folder.resolve("..tmp"), Path.of("..2"));
        Files.move(
                folder.resolve("..tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        tell(change("..data", Notice.RENAMED));
        assertThat(served).containsEntry("a", 1);
    }

    @Test
    void aFileRenamedBehindALinkCountsAtOnce() throws Exception {
        Path elsewhere = Files.createDirectory(temp.toRealPath().resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("x"), service("a", 80));
        Files.createDirectory(folder());
        Files.createSymbolicLink(folder.resolve("a.yaml"), elsewhere.resolve("x"));
        start();
        Files.writeString(elsewhere.resolve("y"), service("a", 1).stripTrailing());
        Files.move(elsewhere.resolve("y"), elsewhere.resolve("x"), StandardCopyOption.ATOMIC_MOVE);
        tell(new Change(elsewhere, Path.of("x"), Notice.RENAMED));
        assertThat(served).containsEntry("a", 1);
    }

    @Test
    void aLinkIsFollowedWhereItLeadsWhenItsTargetIsSwapped() throws Exception {
        Path elsewhere = Files.createDirectory(temp.toRealPath().resolve("elsewhere"));
        Path one = Files.createDirectory(elsewhere.resolve("1"));
        Path two = Files.createDirectory(elsewhere.resolve("2"));
        Files.writeString(one.resolve("x"), service("a", 80));
        Files.writeString(two.resolve("x"), service("a", 81));
        Files.createSymbolicLink(elsewhere.resolve("now"), Path.of("1"));
        Files.createDirectory(folder());
        Files.createSymbolicLink(folder.resolve("a.yaml"), elsewhere.resolve("now/x"));
        start();
        assertThat(watched).contains(one).doesNotContain(two);
        Files.createSymbolicLink(elsewhere.resolve("next"), Path.of("2"));
        Files.move(
                elsewhere.resolve("next"),
                elsewhere.resolve("now"),
                StandardCopyOption.ATOMIC_MOVE);
        Files.delete(one.resolve("x"));
        tell(new Change(one, Path.of("x"), Notice.WRITTEN));
        assertThat(watched).contains(two);
        pass(SETTLE);
        pass(GRACE);
        assertThat(served).containsEntry("a", 81);
        Files.writeString(two.resolve("x"), service("a", 82));
        tell(new Change(two, Path.of("x"), Notice.WRITTEN));
        pass(GRACE);
        assertThat(served).containsEntry("a", 82);
    }

    @Test
    void aLinkIsFollowedWhileItsTargetIsMadeAnew() throws Exception {
        Path elsewhere = Files.createDirectory(temp.toRealPath().resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("x"), service("a", 80));
        Files.createDirectory(folder());
        Files.createSymbolicLink(folder.resolve("a.yaml"), elsewhere.resolve("x"));
        start();
        Files.delete(elsewhere.resolve("x"));
        tell(new Change(elsewhere, Path.of("x"), Notice.WRITTEN));
        Files.writeString(elsewhere.resolve("x"), service("a", 81));
        tell(new Change(elsewhere, Path.of("x"), Notice.RENAMED));
        pass(GRACE);
        assertThat(served).containsEntry("a", 81);
    }

    // Files that go and move

    @Test
    void aDeletedFileIsForgottenWhenItStaysAway() throws Exception {
        start("a.yaml", service("a", 80));
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        pass(GRACE.minusNanos(1));
        assertThat(served).containsOnlyKeys("a");
        pass(Duration.ofNanos(1));
        assertThat(served).isEmpty();
    }

    @Test
    void aMovedFileIsServedOnAndNothingIsSaid() throws Exception {
        for (String to : List.of("b.yaml", "a.yaml")) { // after its old name, and before it
            String from = to.equals("b.yaml") ? "a.yaml" : "b.yaml";
            start(from, service("a", 80));
            Files.move(folder.resolve(from), folder.resolve(to));
            tell(change(from, Notice.WRITTEN), change(to, Notice.RENAMED));
            pass(SETTLE);
            pass(GRACE);
            assertThat(served).containsOnlyKeys("a");
            assertThat(everRemoved).isEmpty();
            assertThat(everSaid).isEmpty();
            Files.delete(folder.resolve(to));
        }
    }

    @Test
    void aMovedFileThatHasToBeStillForLongIsServedOn() throws Exception {
        for (String to : List.of("b.yaml", "a.yaml")) {
            String from = to.equals("b.yaml") ? "a.yaml" : "b.yaml";
            start(from, service("a", 80).stripTrailing());
            Files.move(folder.resolve(from), folder.resolve(to));
            tell(change(from, Notice.WRITTEN));
            pass(Duration.ofMillis(1));
            tell(change(to, Notice.RENAMED));
            pass(Duration.ofMillis(8)); // it is read, and doubted
            pass(Duration.ofMillis(91)); // the old name is due
            pass(Duration.ofMillis(1)); // the new one is
            assertThat(served).containsOnlyKeys("a");
            assertThat(everRemoved).isEmpty();
            assertThat(everSaid).isEmpty();
            assertThat(files.nextDue(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
            Files.delete(folder.resolve(to));
        }
    }

    @Test
    void aMovedFileIsServedOnIfItsNewNameIsToldLate() throws Exception {
        start("a.yaml", service("a", 80).stripTrailing());
        Files.move(folder.resolve("a.yaml"), folder.resolve("b.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        now += Duration.ofSeconds(1).toNanos(); // this thread did not run
        tell(change("b.yaml", Notice.RENAMED));
        pass(Duration.ZERO);
        pass(SETTLE);
        pass(GRACE);
        assertThat(served).containsOnlyKeys("a");
        assertThat(everRemoved).isEmpty();
    }

    @Test
    void aMovedFileThatIsEditedOnIsServedOn() throws Exception {
        start("a.yaml", service("a", 80));
        Files.move(folder.resolve("a.yaml"), folder.resolve("b.yaml"));
        tell(change("a.yaml", Notice.WRITTEN), change("b.yaml", Notice.RENAMED));
        for (int port = 81; port < 91; port++) {
            write("b.yaml", service("a", port).stripTrailing());
            pass(Duration.ofMillis(50));
        }
        pass(GRACE);
        assertThat(served).containsEntry("a", 90);
        assertThat(everRemoved).isEmpty();
    }

    @Test
    void filesThatChangeAfterwardsDoNotKeepADeletedOne() throws Exception {
        start("a.yaml", service("a", 80), "b.yaml", service("b", 80));
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        pass(Duration.ofMillis(95));
        write("b.yaml", service("b", 81));
        pass(Duration.ofMillis(5));
        assertThat(served).containsKey("a");
        pass(Duration.ofMillis(1));
        write("c.yaml", service("c", 80));
        pass(Duration.ofMillis(2));
        assertThat(served).containsOnlyKeys("b");
    }

    @Test
    void aFileThatIsWrittenAllTheTimeDoesNotKeepADeletedOneForGood() throws Exception {
        start("a.yaml", service("a", 80));
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        for (int i = 0; i < 2_100; i++) {
            write("b.yaml", service("b", 80));
            pass(Duration.ofMillis(5));
        }
        assertThat(served).isEmpty();
    }

    @Test
    void anObjectMovedToAnotherFileIsServedOnAndNothingIsSaid() throws Exception {
        start("a.yaml", service("a", 80) + "---\n" + service("b", 80), "c.yaml", service("c", 80));
        rename("a.yaml", service("a", 80));
        rename("c.yaml", service("c", 80) + "---\n" + service("b", 81));
        tell(change("a.yaml", Notice.RENAMED));
        tell(change("c.yaml", Notice.RENAMED));
        pass(GRACE);
        assertThat(served).containsEntry("b", 81);
        assertThat(everRemoved).isEmpty();
        assertThat(everSaid).isEmpty();
    }

    @Test
    void aDuplicateIsTold() throws Exception {
        start("a.yaml", service("a", 80));
        write("b.yaml", service("a", 81));
        pass(SETTLE);
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.OBJECT_DUPLICATE);
        Files.delete(folder.resolve("b.yaml"));
        tell(change("b.yaml", Notice.WRITTEN));
        pass(GRACE);
        assertThat(findings()).isEmpty();
        assertThat(served).containsEntry("a", 80);
    }

    @Test
    void aDuplicateStaysToldWhileTheFirstIsMadeAnew() throws Exception {
        start("a.yaml", service("a", 80), "b.yaml", service("a", 81));
        int told = everSaid.size();
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        write("a.yaml", service("a", 80));
        pass(GRACE);
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.OBJECT_DUPLICATE);
        assertThat(everSaid).hasSize(told);
        assertThat(served).containsEntry("a", 80);
    }

    @Test
    void afterTheFirstIsGoneTheSecondCounts() throws Exception {
        start("a.yaml", service("a", 80), "b.yaml", service("a", 81));
        Files.delete(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        pass(GRACE);
        assertThat(served).containsEntry("a", 81);
        assertThat(findings()).isEmpty();
    }

    @Test
    void allFilesOfAFolderThatIsGoneAreGone() throws Exception {
        start("a/x.yaml", service("x", 80), "a-b.yaml", service("b", 80), "a.yml", service("c", 1));
        Files.delete(folder.resolve("a/x.yaml"));
        Files.delete(folder.resolve("a"));
        tell(change("a", Notice.WRITTEN)); // '-' and '.' come before '/'
        pass(GRACE);
        assertThat(served).containsOnlyKeys("b", "c");
    }

    // Files and folders that can not be read

    @Test
    void aFileThatBecameUnreadableIsReportedOnceAndNotLookedAtAllTheTime() throws Exception {
        start("a.yaml", service("a", 80));
        access.unreadable.add(folder.resolve("a.yaml"));
        write("a.yaml", service("a", 81));
        pass(SETTLE);
        pass(GRACE);
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("permission denied"));
        assertThat(files.nextDue(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
        assertThat(served).containsEntry("a", 80);
        access.unreadable.clear();
        poll();
        assertThat(findings()).isEmpty();
        assertThat(served).containsEntry("a", 81);
    }

    @Test
    void aFileThatIsUnreadableFromTheStartIsNotLookedAtAllTheTime() throws Exception {
        access.unreadable.add(folder().resolve("a.yaml"));
        start("a.yaml", service("a", 80));
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.FILE_UNREADABLE);
        assertThat(files.nextDue(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
        access.unreadable.clear();
        poll();
        assertThat(served).containsOnlyKeys("a");
        assertThat(findings()).isEmpty();
    }

    @Test
    void aFileThatIsReadableAgainWithTheSameContentsLosesItsFinding() throws Exception {
        start("a.yaml", service("a", 80));
        access.unreadable.add(folder.resolve("a.yaml"));
        tell(change("a.yaml", Notice.WRITTEN));
        pass(SETTLE);
        pass(GRACE);
        assertThat(findings()).hasSize(1);
        access.unreadable.clear();
        tell(change("a.yaml", Notice.WRITTEN));
        assertThat(findings()).isEmpty();
    }

    @Test
    void aFolderThatCannotBeEnteredIsOneFinding() throws Exception {
        access.closed.add(folder().resolve("sub"));
        start("a.yaml", service("a", 80), "sub/b.yaml", service("b", 80), "sub/c.yaml", "");
        assertThat(served).containsOnlyKeys("a");
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.message()).contains("permission denied");
                    assertThat(finding.location().orElseThrow().file()).endsWith("sub");
                });
    }

    @Test
    void theFilesOfAFolderThatCannotBeEnteredAnyMoreAreServedOn() throws Exception {
        start("a.yaml", service("a", 80), "sub/b.yaml", service("b", 80));
        access.closed.add(folder.resolve("sub"));
        poll();
        pass(GRACE);
        poll();
        assertThat(served).containsOnlyKeys("a", "b");
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.FILE_UNREADABLE);
        access.closed.clear();
        poll();
        assertThat(findings()).isEmpty();
    }

    @Test
    void namesThatLookTheSameAreDifferentFiles() throws Exception {
        Files.createDirectory(folder());
        moveInto("gr\\366\\337e", service("long", 80)); // in ISO 8859-1
        moveInto("gr\\374\\337e", service("green", 80));
        start();
        assertThat(served).containsOnlyKeys("long", "green");
    }

    private void moveInto(String name, String text) throws Exception {
        Files.writeString(folder.resolve("written"), text);
        String command = "mv written \"$(printf '" + name + "')\".yaml";
        Process move = new ProcessBuilder("sh", "-c", command).directory(folder.toFile()).start();
        assertThat(move.waitFor(10, TimeUnit.SECONDS) && move.exitValue() == 0).isTrue();
    }

    // Bounds

    @Test
    void oneScanComparesABoundedNumberOfFilesAndTheNextGoesOn() throws Exception {
        settings = settings(2_000, 8);
        Files.createDirectories(folder());
        for (int i = 0; i < 1_100; i++) {
            Files.writeString(folder.resolve("s" + i + ".yaml"), service("s" + i, 80));
        }
        start();
        List<Integer> compared = new ArrayList<>();
        for (int scan = 0; scan < 3; scan++) {
            access.opened = 0;
            poll();
            compared.add(access.opened);
        }
        assertThat(compared).containsExactly(1_000, 100, 0);
    }

    @Test
    void aLoopMadeLaterIsNotEntered() throws Exception {
        start("a/b/x.yaml", service("x", 80));
        Files.createSymbolicLink(folder.resolve("a/b/up"), Path.of("../.."));
        tell(new Change(folder.resolve("a/b"), Path.of("up"), Notice.RENAMED));
        pass(GRACE);
        assertThat(everSaid).isEmpty();
    }

    @Test
    void foldersMultipliedByLinksAreBounded() throws Exception {
        settings = settings(100, 30);
        Files.createDirectories(folder());
        for (int i = 0; i < 30; i++) {
            Files.createDirectory(temp.resolve("d" + i));
            Path from = i == 0 ? folder : temp.resolve("d" + (i - 1));
            Files.createSymbolicLink(from.resolve("one"), temp.resolve("d" + i));
            Files.createSymbolicLink(from.resolve("two"), temp.resolve("d" + i));
        }
        start();
        assertThat(findings())
                .anySatisfy(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.LIMIT_EXCEEDED);
                    assertThat(finding.message()).contains("more than 100 folders");
                });
    }

    @Test
    void theBoundOfFilesHoldsForNotifications() throws Exception {
        settings = settings(2, 8);
        start("b.yaml", service("b", 80), "c.yaml", service("c", 80));
        write("a.yaml", service("a", 80));
        pass(GRACE);
        Files.createDirectory(folder.resolve("sub"));
        Files.writeString(folder.resolve("sub/d.yaml"), service("d", 80));
        tell(change("sub", Notice.RENAMED));
        pass(GRACE);
        assertThat(served).containsOnlyKeys("b", "c");
        assertThat(findings())
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo(Reason.LIMIT_EXCEEDED);
                    assertThat(finding.message()) // true of b and c, which come after a
                            .isEqualTo(
                                    "more than 2 files; this one, and perhaps others, are not read");
                });
        poll();
        pass(GRACE);
        assertThat(served).as("a new file takes no other's place").containsOnlyKeys("b", "c");
        Files.delete(folder.resolve("a.yaml"));
        Files.delete(folder.resolve("sub/d.yaml"));
        poll();
        assertThat(findings()).isEmpty();
    }

    @Test
    void aFolderAtTheBoundOfDepthIsEntered() throws Exception {
        settings = settings(100, 2);
        start("1/2/x.yaml", service("x", 80), "1/2/3/y.yaml", service("y", 80));
        assertThat(served).containsOnlyKeys("x");
        assertThat(findings()).extracting(Finding::reason).containsExactly(Reason.LIMIT_EXCEEDED);
        Files.createDirectory(folder.resolve("1/2/4"));
        Files.writeString(folder.resolve("1/2/4/z.yaml"), service("z", 80));
        tell(new Change(folder.resolve("1/2"), Path.of("4"), Notice.RENAMED));
        pass(GRACE);
        assertThat(served).containsOnlyKeys("x");
    }

    // The test's world

    private Path folder() throws IOException {
        if (folder.toString().isEmpty()) {
            folder = temp.resolve("manifests");
        }
        return folder;
    }

    private void start(String... namesAndTexts) throws IOException {
        Files.createDirectories(folder());
        for (int i = 0; i < namesAndTexts.length; i += 2) {
            Path file = folder.resolve(namesAndTexts[i]);
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Files.writeString(file, namesAndTexts[i + 1]);
        }
        files = files();
        served.clear();
        files.readAll(Runnable::run);
        collect();
        pass(Duration.ofSeconds(10));
    }

    private FolderFiles files() {
        return new FolderFiles(folder, settings, access, () -> now, watched::add);
    }

    private static FolderSettings settings(int maxFiles, int maxDepth) {
        return new FolderSettings(
                true, Duration.ofHours(1), SETTLE, GRACE, 1 << 20, maxFiles, maxDepth);
    }

    private void pass(Duration time) {
        now += time.toNanos();
        files.lookAtDue();
        collect();
    }

    private void poll() {
        files.scan();
        collect();
    }

    private void tell(Change... changes) {
        files.take(Arrays.asList(changes));
        collect();
    }

    private Change change(String name, Notice notice) {
        return new Change(folder, Path.of(name), notice);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
        tell(change(name, Notice.WRITTEN));
    }

    private void rename(String name, String text) throws IOException {
        Path made = folder.resolve(name + ".tmp");
        Files.writeString(made, text);
        Files.move(made, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private void collect() {
        SourceUpdate update = files.drain();
        for (ResourceChange change : update.changes()) {
            Resource now = change.now().orElse(null);
            if (now instanceof Resource.OfService service) {
                int port = service.service().getSpec().getPorts().getFirst().getPort();
                served.put(change.ref().name(), port);
            } else {
                served.remove(change.ref().name());
                everRemoved.add(change.ref().name());
            }
        }
        said.putAll(update.findings());
        update.findings().values().forEach(some -> some.forEach(f -> everSaid.add(f.message())));
    }

    private List<Finding> findings() {
        return said.values().stream().flatMap(List::stream).toList();
    }

    private static String service(String name, int port) {
        return """
        apiVersion: v1
        kind: Service
        metadata:
          name: %s
        spec:
          ports:
          - port: %d
        """
                .transform(text -> String.format(Locale.ROOT, text, name, port));
    }

    private static String json(String name, int port) {
        return "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"ports\":[{\"port\":%d}]}}"
                .transform(text -> String.format(Locale.ROOT, text, name, port));
    }
}
