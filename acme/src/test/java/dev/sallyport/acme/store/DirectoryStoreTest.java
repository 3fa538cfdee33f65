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
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreTest {
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
    void twoCannotHaveIt() throws IOException {
        assertThatThrownBy(() -> DirectoryStore.open(root))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use by another process");
        store.close();
        store = DirectoryStore.open(root);
    }

    @Test
    void anAccountOfAnotherDirectoryIsNotThisOnes() throws IOException {
        store.save(StoredValues.account());
        Issuer moved =
                ((Parsed.Usable<Issuer>)
                                Issuer.parse(
                                        ObjectRef.gateway("test"),
                                        IssuerDraft.of(
                                                "ca",
                                                "https://other.example/dir",
                                                List.of(),
                                                true)))
                        .value();
        assertThat(read(store.account(moved))).isEmpty();
    }

    @Test
    void damageIsToldAndLeftAsItIs() throws IOException {
        store.save(StoredValues.account());
        Path file = root.resolve("accounts/ca");
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
        Path file = root.resolve("accounts/ca");
        Files.write(file, new byte[DirectoryStore.MOST_BYTES + 1]);
        assertThat(refused(store.account(ISSUER)).message()).contains("larger than");
        Files.delete(file);
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "x");
        Files.createSymbolicLink(file, elsewhere);
        assertThat(refused(store.account(ISSUER)).message()).contains("not a plain file");
    }

    @Test
    void whatIsOfAnotherKindOrVersionIsRefused() throws IOException {
        Files.write(root.resolve("accounts/ca"), StoredForms.of(StoredValues.order()).write());
        assertThat(refused(store.account(ISSUER)).message()).contains("of another kind");
        Files.write(
                root.resolve("accounts/ca"),
                new FieldText().put("sallyport-acme", "2").put("kind", "account").write());
        assertThat(refused(store.account(ISSUER)).message()).contains("of version 2");
    }

    @Test
    void aLinkInThePlaceOfAnUnfinishedFileIsNotWrittenThrough() throws IOException {
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "untouched");
        Files.createSymbolicLink(root.resolve("accounts/ca.new~"), elsewhere);
        store.save(StoredValues.account());
        assertThat(elsewhere).hasContent("untouched");
        assertThat(read(store.account(ISSUER))).isPresent();
    }

    @Test
    void keysAreNeverPrinted() throws IOException {
        store.save(StoredValues.changing());
        String written = Files.readString(root.resolve("accounts/ca"), StandardCharsets.UTF_8);
        String key = written.lines().filter(l -> l.startsWith("key:: ")).findFirst().orElseThrow();
        byte[] pkcs8 = Base64.getDecoder().decode(key.substring(6));
        String middle = Base64.getEncoder().encodeToString(pkcs8).substring(40, 60);
        Files.writeString(root.resolve("accounts/ca"), written.replace("kind: account", "kind: x"));
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

    private static <T> Finding refused(Parsed<Optional<T>> parsed) {
        assertThat(parsed).isInstanceOf(Parsed.Rejected.class);
        return parsed.findings().getFirst();
    }
}
