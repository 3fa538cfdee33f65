package dev.sallyport.acme.store;

import static dev.sallyport.acme.store.StoredValues.ID;
import static dev.sallyport.acme.store.StoredValues.ISSUER;
import static dev.sallyport.acme.store.StoredValues.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreTest {
    private static final String ACCOUNT = DirectoryStore.accountFile("ca", StoredValues.DIRECTORY);

    private final Path folder;
    private final Path root;
    private DirectoryStore store;

    DirectoryStoreTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        root = folder.resolve("state");
        store = DirectoryStore.open(root);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    @Test
    void givesBackWhatItWasGiven() throws IOException {
        store.save(StoredValues.changing());
        store.save(StoredValues.order().at(URI.create("https://ca.example/order/1")));
        StoredCertificate certificate = StoredValues.certificate();
        store.save(certificate);
        store.close();
        store = DirectoryStore.open(root);
        assertThat(read(store.account(ISSUER))).contains(StoredValues.changing());
        assertThat(read(store.order(ID)))
                .contains(StoredValues.order().at(URI.create("https://ca.example/order/1")));
        assertThat(read(store.certificate(ID)).orElseThrow())
                .satisfies(read -> {
                    assertThat(read.bundle().fingerprint())
                            .isEqualTo(certificate.bundle().fingerprint());
                    assertThat(read.bundle().privateKey())
                            .isEqualTo(certificate.bundle().privateKey());
                    assertThat(read.bundle().chain()).hasSize(2);
                    assertThat(read.issued()).isEqualTo(certificate.issued());
                    assertThat(read.location()).isEqualTo(certificate.location());
                });
        assertThat(store.certificates()).containsExactly("shop.example");
        store.removeOrder(ID);
        store.removeCertificate(ID);
        assertThat(read(store.order(ID))).isEmpty();
        assertThat(store.certificates()).isEmpty();
        assertThat(store.orders()).isEmpty();
    }

    @Test
    void whatIsToBeRememberedIsKeptOrSaidToBeDamaged() throws IOException {
        assertThat(read(store.memory())).isEmpty();
        var memory = new StoredMemory("one\ttwo\nthréé\n");
        store.save(memory);
        store.close();
        store = DirectoryStore.open(root);
        assertThat(read(store.memory())).contains(memory);
        var large = new StoredMemory("x".repeat(StoredMemory.MOST));
        store.save(large);
        assertThat(read(store.memory())).contains(large);
        assertThatThrownBy(() -> new StoredMemory("x".repeat(StoredMemory.MOST + 1)))
                .hasMessageContaining("memory: ");
        Files.writeString(folder("memory", "keeper"), "odd");
        assertThat(refused(store.memory()).reason()).isEqualTo(Reason.ACME_STATE_DAMAGED);
    }

    @Test
    void aProfileIsKeptIfItIsKnown() throws IOException {
        store.save(StoredValues.certificate());
        assertThat(read(store.certificate(ID)).orElseThrow().profile()).isEmpty();
        for (String profile : List.of("", "shortlived")) {
            StoredCertificate known = StoredValues.certificate();
            store.save(
                    new StoredCertificate(
                            known.id(),
                            known.issuer(),
                            known.directory(),
                            known.bundle(),
                            known.location(),
                            known.issued(),
                            Optional.of(profile)));
            assertThat(read(store.certificate(ID)).orElseThrow().profile()).contains(profile);
        }
    }

    @Test
    void onlyItsOwnerMayLookInside() throws IOException {
        store.save(StoredValues.account());
        store.save(StoredValues.certificate());
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                        .as(path.toString())
                        .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------");
            }
        }
    }

    @Test
    void aFolderThatWasOpenToOthersIsClosed() throws IOException {
        store.close();
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
        store = DirectoryStore.open(root);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
                .isEqualTo("rwx------");
    }

    @Test
    void anEmptyFolderIsTakenAndClosed() throws IOException {
        Path mount = Files.createDirectory(folder.resolve("mount"));
        Files.createDirectory(mount.resolve("lost+found"));
        Files.setPosixFilePermissions(mount, PosixFilePermissions.fromString("rwxr-xr-x"));
        DirectoryStore.open(mount).close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(mount)))
                .isEqualTo("rwx------");
    }

    @Test
    void aFolderOfAnotherPurposeIsRefusedAndLeftAsItIs() throws IOException {
        Path theirs = Files.createDirectory(folder.resolve("theirs"));
        Files.createDirectory(theirs.resolve("certificates"));
        for (String name : List.of("a", "b", "c", "d")) {
            Files.createFile(theirs.resolve(name));
        }
        Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThatThrownBy(() -> DirectoryStore.open(theirs))
                .isInstanceOfSatisfying(
                        UnusableStateFolder.class,
                        unusable ->
                                assertThat(unusable.advice())
                                        .contains("--state " + theirs + "/sallyport"))
                .hasMessageContaining(
                        "the state folder "
                                + theirs
                                + " cannot be used: it holds a, b, c and more");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(theirs)))
                .isEqualTo("rwxr-xr-x");
        try (Stream<Path> files = Files.list(theirs)) {
            assertThat(files).hasSize(5);
        }
        DirectoryStore.open(theirs.resolve("sallyport")).close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(theirs)))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void whatSomebodyAddedToAStateFolderIsNoReasonToRefuseIt() throws IOException {
        store.close();
        Files.createFile(root.resolve("README"));
        store = DirectoryStore.open(root);
    }

    @Test
    void whyAFolderCannotBeUsedIsSaidAndNotOnlyWhichOne() throws IOException {
        store.close();
        assertThatThrownBy(() -> DirectoryStore.hold(root, withoutRights(root)))
                .isInstanceOfSatisfying(
                        UnusableStateFolder.class,
                        unusable ->
                                assertThat(unusable.advice())
                                        .contains("the user that this process runs as"))
                .hasMessage("the state folder " + root + " cannot be used: permission denied");
        Path accounts = root.resolve("accounts");
        assertThatThrownBy(() -> DirectoryStore.hold(root, withoutRights(accounts)))
                .hasMessage(
                        "the state folder "
                                + root
                                + " cannot be used: "
                                + accounts
                                + ": permission denied");
        store = DirectoryStore.open(root); // the lock was given back
    }

    /** As a folder of another user's is; tests may run as one who has all rights. */
    private static FileSteps withoutRights(Path denied) {
        return (FileSteps)
                Proxy.newProxyInstance(
                        FileSteps.class.getClassLoader(),
                        new Class<?>[] {FileSteps.class},
                        (_, method, arguments) -> {
                            if (arguments[0].equals(denied)) {
                                throw new AccessDeniedException(denied.toString());
                            }
                            return method.invoke(FileSteps.DISK, arguments);
                        });
    }

    @Test
    void twoCannotHaveIt() throws IOException {
        assertThatThrownBy(() -> DirectoryStore.open(root))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use by another process");
        store.close();
        store = DirectoryStore.open(root);
    }

    /** Another process, which says whether it got the directory. */
    static final class Taker {
        private Taker() {}

        public static void main(String[] arguments) {
            try (DirectoryStore taken = DirectoryStore.open(Path.of(arguments[0]))) {
                taken.certificates();
                Runtime.getRuntime().halt(10);
            } catch (IOException inUse) {
                Runtime.getRuntime().halt(20);
            }
        }
    }

    @Test
    void asecondTryInThisProcessDoesNotGiveTheLockAway() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), root);
        for (Path path : List.of(root, link)) {
            assertThatThrownBy(() -> DirectoryStore.open(path)).isInstanceOf(IOException.class);
        }
        assertThat(taken()).isEqualTo(20);
        store.close();
        assertThat(taken()).isEqualTo(10);
        store = DirectoryStore.open(root);
    }

    private int taken() throws Exception {
        Process taker =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Taker.class.getName(),
                                root.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        assertThat(taker.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return taker.exitValue();
    }

    @Test
    void aNewFolderReachesTheDiskWithAllThatIsAboveIt() throws IOException {
        List<String> steps = new ArrayList<>();
        Path deep = folder.resolve("a/b");
        FileSteps told =
                (FileSteps)
                        Proxy.newProxyInstance(
                                FileSteps.class.getClassLoader(),
                                new Class<?>[] {FileSteps.class},
                                (_, method, arguments) -> {
                                    steps.add(
                                            method.getName()
                                                    + " "
                                                    + folder.relativize((Path) arguments[0]));
                                    return null;
                                });
        DirectoryStore.make(deep, told);
        assertThat(steps)
                .containsExactly(
                        "folder a", "forceFolder ", "folder a/b", "forceFolder a", "folder a/b");
    }

    @Test
    void anAccountOfAnotherDirectoryIsNotThisOnes() throws IOException {
        store.save(StoredValues.account());
        assertThat(read(store.account(issuer(URI.create("https://other.example/dir"))))).isEmpty();
    }

    private static Issuer issuer(URI directory) {
        return ((Parsed.Usable<Issuer>)
                        Issuer.parse(
                                ObjectRef.gateway("test"),
                                IssuerDraft.of("ca", directory.toString(), List.of(), true)))
                .value();
    }

    @Test
    void directoriesOfOneNameHaveAccountsOfTheirOwn() throws IOException {
        StoredAccount here = StoredValues.account().at(URI.create("https://ca.example/acct/1"));
        URI other = URI.create("https://other.example/dir");
        var there =
                new StoredAccount(
                        "ca",
                        other,
                        StoredValues.changing().nextKey().orElseThrow(),
                        Optional.empty(),
                        Optional.empty());
        store.save(here);
        store.save(there);
        assertThat(read(store.account(ISSUER))).contains(here);
        assertThat(read(store.account(issuer(other)))).contains(there);
    }

    @Test
    void anAccountThatTheFirstVersionsWroteIsFoundAndMoves() throws IOException {
        Path old = folder("accounts", "ca");
        Files.write(old, StoredForms.of(StoredValues.account()).write());
        assertThat(read(store.account(ISSUER))).contains(StoredValues.account());
        assertThat(read(store.account(issuer(URI.create("https://other.example/dir"))))).isEmpty();
        StoredAccount registered =
                StoredValues.account().at(URI.create("https://ca.example/acct/1"));
        store.save(registered);
        assertThat(old).doesNotExist();
        assertThat(read(store.account(ISSUER))).contains(registered);
    }

    @Test
    void anOldAccountOfAnotherDirectoryIsLeftForItsReturn() throws IOException {
        Path old = folder("accounts", "ca");
        Files.write(old, StoredForms.of(StoredValues.account()).write());
        store.save(
                new StoredAccount(
                        "ca",
                        URI.create("https://other.example/dir"),
                        StoredValues.account().key(),
                        Optional.empty(),
                        Optional.empty()));
        assertThat(read(store.account(ISSUER))).contains(StoredValues.account());
    }

    @Test
    void damageIsToldAndLeftAsItIs() throws IOException {
        store.save(StoredValues.account());
        Path file = folder("accounts", ACCOUNT);
        byte[] sound = Files.readAllBytes(file);
        for (int length = 0; length < sound.length; length++) {
            Files.write(file, Arrays.copyOf(sound, length));
            assertThat(refused(store.account(ISSUER)).reason())
                    .as("cut off after %s bytes", length)
                    .isEqualTo(Reason.ACME_STATE_DAMAGED);
        }
        for (int i = 0; i < sound.length; i++) {
            byte[] flipped = sound.clone();
            flipped[i] ^= 1;
            Files.write(file, flipped);
            assertThat(refused(store.account(ISSUER)).reason())
                    .as("byte %s changed", i)
                    .isEqualTo(Reason.ACME_STATE_DAMAGED);
        }
        Files.write(file, sound);
        assertThat(read(store.account(ISSUER))).isPresent();
    }

    @Test
    void nothingLargeIsReadAndNoLinkIsFollowed() throws IOException {
        Path file = folder("accounts", ACCOUNT);
        Files.write(file, new byte[DirectoryStore.MOST_BYTES + 1]);
        assertThat(refused(store.account(ISSUER)).message()).contains("larger than");
        Files.delete(file);
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "x");
        Files.createSymbolicLink(file, elsewhere);
        assertThat(refused(store.account(ISSUER)).message()).contains("not a plain file");
    }

    @Test
    void whatIsOfAnotherKindOrVersionIsRefused() throws IOException {
        Files.write(folder("accounts", ACCOUNT), StoredForms.of(StoredValues.order()).write());
        assertThat(refused(store.account(ISSUER)).message()).contains("of another kind");
        Files.write(
                folder("accounts", ACCOUNT),
                new FieldText().put("sallyport-acme", "2").put("kind", "account").write());
        assertThat(refused(store.account(ISSUER)).message()).contains("of version 2");
    }

    @Test
    void aLinkInThePlaceOfAnUnfinishedFileIsNotWrittenThrough() throws IOException {
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "untouched");
        Files.createSymbolicLink(folder("accounts", ACCOUNT + ".new~"), elsewhere);
        store.save(StoredValues.account());
        assertThat(elsewhere).hasContent("untouched");
        assertThat(read(store.account(ISSUER))).isPresent();
    }

    @Test
    void keysAreNeverPrinted() throws IOException {
        store.save(StoredValues.changing());
        String written = Files.readString(folder("accounts", ACCOUNT), StandardCharsets.UTF_8);
        String key = written.lines().filter(l -> l.startsWith("key:: ")).findFirst().orElseThrow();
        byte[] pkcs8 = Base64.getDecoder().decode(key.substring(6));
        String middle = Base64.getEncoder().encodeToString(pkcs8).substring(40, 60);
        Files.writeString(folder("accounts", ACCOUNT), written.replace("kind: account", "kind: x"));
        assertThat(
                        List.of(
                                StoredValues.changing().toString(),
                                StoredValues.order().toString(),
                                StoredValues.certificate().toString(),
                                refused(store.account(ISSUER)).toString()))
                .noneMatch(text -> text.contains(middle));
    }

    @Test
    void leftoversOfACrashAreCleared() throws IOException {
        store.close();
        Path leftover = Files.writeString(root.resolve("orders/x.new~"), "half");
        store = DirectoryStore.open(root);
        assertThat(leftover).doesNotExist();
    }

    private Path folder(String name, String file) {
        return root.resolve(name).resolve(file);
    }

    private static <T> Finding refused(Parsed<Optional<T>> parsed) {
        assertThat(parsed).isInstanceOf(Parsed.Rejected.class);
        return parsed.findings().getFirst();
    }
}
