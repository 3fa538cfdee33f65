package dev.sallyport.control.stored;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import io.fabric8.kubernetes.api.model.Service;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {
    @TempDir Path dir;

    private Path path;
    private StateFile file;

    @BeforeEach
    void open() {
        path = dir.resolve("state");
        file = file(1);
    }

    @AfterEach
    void close() {
        file.close();
    }

    @Test
    void whatIsWrittenIsReadAgain() throws Exception {
        StoredState state = States.state(3);
        file.write(state);
        StoredState read = usable(file);
        assertThat(read.asOf()).isEqualTo(States.AS_OF);
        assertThat(read.objects()).isEqualTo(state.objects());
        assertThat(read.findings()).isEmpty();
        assertThat(read.certificates()).hasSize(3);
        for (int i = 0; i < 3; i++) {
            StoredCertificate was = state.certificates().get(i);
            StoredCertificate is = read.certificates().get(i);
            assertThat(is.secret()).isEqualTo(was.secret());
            assertThat(is.version()).isEqualTo(was.version());
            assertThat(is.digest()).isEqualTo(was.digest());
            assertThat(is.bundle().fingerprint()).isEqualTo(was.bundle().fingerprint());
            assertThat(is.bundle().privateKey()).isEqualTo(was.bundle().privateKey());
        }
    }

    @Test
    void aWholeChainIsReadAgain() throws Exception {
        StoredCertificate plain = States.certificate("a", "01");
        List<byte[]> issuers = List.of(new byte[] {1, 2, 3}, new byte[2000]);
        var chained =
                new StoredCertificate(
                        plain.secret(), plain.version(), "digest", plain.bundle().under(issuers));
        file.write(new StoredState(States.AS_OF, List.of(), List.of(chained)));
        List<byte[]> chain = usable(file).certificates().getFirst().bundle().chain();
        assertThat(chain).hasSize(3);
        assertThat(chain.get(1)).containsExactly(1, 2, 3);
        assertThat(chain.get(2)).hasSize(2000);
    }

    @Test
    void manyObjectsTakeManyFrames() throws Exception {
        StoredState state = States.state(300);
        long bytes = file.write(state);
        assertThat(bytes).isEqualTo(Files.size(path));
        StoredState read = usable(file);
        assertThat(read.objects()).isEqualTo(state.objects());
        assertThat(read.certificates())
                .extracting(StoredCertificate::secret)
                .isEqualTo(state.certificates().stream().map(StoredCertificate::secret).toList());
    }

    @Test
    void whatSaysNothingOfWhatIsServedIsNotStored() throws Exception {
        var ingress = ((Resource.OfIngress) States.ingress("a"));
        var noisy =
                ingress.ingress()
                        .edit()
                        .editMetadata()
                        .addNewManagedField()
                        .withManager("kubectl")
                        .endManagedField()
                        .endMetadata()
                        .withNewStatus()
                        .withNewLoadBalancer()
                        .addNewIngress()
                        .withIp("192.0.2.1")
                        .endIngress()
                        .endLoadBalancer()
                        .endStatus()
                        .build();
        file.write(
                new StoredState(
                        States.AS_OF,
                        List.of(new Resource.OfIngress(ingress.ref(), noisy, ingress.origin())),
                        List.of()));
        assertThat(usable(file).objects()).containsExactly(ingress);
    }

    @Test
    void theFileIsForItsOwnerOnlyAndShowsNothing() throws Exception {
        file.write(States.state(5));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        String text = Files.readString(path, StandardCharsets.ISO_8859_1);
        assertThat(text)
                .startsWith("sallyport last known good state\nformat: 1\ncipher: AES-256-GCM\n")
                .contains("as of: 2026-06-01T12:00:00Z\n")
                .doesNotContain("example.com")
                .doesNotContain("host-1");
        States.state(1)
                .certificates()
                .getFirst()
                .bundle()
                .privateKey()
                .use(pkcs8 -> {
                    assertThat(text)
                            .doesNotContain(
                                    new String(
                                            Arrays.copyOfRange(pkcs8, 36, 52),
                                            StandardCharsets.ISO_8859_1));
                    return true;
                });
    }

    @Test
    void theSameStateIsNeverSealedTheSameWay() throws Exception {
        file.write(States.state(1));
        byte[] first = Files.readAllBytes(path);
        file.write(States.state(1));
        assertThat(Files.readAllBytes(path)).isNotEqualTo(first);
    }

    @Test
    void whereThereIsNoFileThereIsNothing() {
        assertThat(file.read(Runnable::run)).isEmpty();
    }

    @Test
    void anotherKeyIsRefusedByName() throws Exception {
        file.write(States.state(1));
        Finding why = refused(file(2));
        assertThat(why.message())
                .contains(States.key(1).id())
                .contains(States.key(2).id())
                .contains(path.toString());
        assertThat(why.advice()).isNotEmpty();
    }

    @Test
    void aKeyThatOnlyClaimsToBeTheSameIsRefused() throws Exception {
        file.write(States.state(1));
        String claimed =
                Files.readString(path, StandardCharsets.ISO_8859_1)
                        .replace(States.key(1).id(), States.key(2).id());
        Files.writeString(path, claimed, StandardCharsets.ISO_8859_1);
        assertThat(refused(file(2)).message()).contains("frame");
    }

    @Test
    void aFileThatIsCutAnywhereIsRefused() throws Exception {
        file.write(States.state(2));
        byte[] whole = Files.readAllBytes(path);
        for (int length = 0; length < whole.length; length += 3) {
            refuse(Arrays.copyOf(whole, length));
        }
        refuse(Arrays.copyOf(whole, whole.length - 1));
    }

    @Test
    void aFileWithOneBitFlippedIsRefused() throws Exception {
        file.write(States.state(1));
        byte[] whole = Files.readAllBytes(path);
        for (int i = 0; i < whole.length; i += i < 300 ? 1 : 5) {
            byte[] damaged = whole.clone();
            damaged[i] ^= (byte) (1 << (i % 8));
            refuse(damaged);
        }
    }

    @Test
    void aFileThatGoesOnIsRefused() throws Exception {
        file.write(States.state(1));
        byte[] whole = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(whole, whole.length + 1));
        assertThat(refused(file).message()).contains("behind its end");
    }

    @Test
    void framesThatAreDroppedDoubledOrSwappedAreRefused() throws Exception {
        file.write(States.state(40));
        List<byte[]> frames = frames(Files.readAllBytes(path));
        assertThat(frames).hasSizeGreaterThan(3); // header, objects, certificates, the end
        for (int i = 1; i < frames.size() - 1; i++) {
            List<byte[]> dropped = new ArrayList<>(frames);
            byte[] frame = dropped.remove(i);
            refuse(dropped);
            List<byte[]> doubled = new ArrayList<>(frames);
            doubled.add(i, frame);
            refuse(doubled);
            if (i > 1) {
                List<byte[]> swapped = new ArrayList<>(dropped);
                swapped.add(1, frame);
                refuse(swapped);
            }
        }
        Files.write(path, join(frames));
        usable(file); // put together as they were
    }

    @Test
    void aFrameOfAnotherFileOfTheSameKeyIsRefused() throws Exception {
        file.write(States.state(1));
        List<byte[]> mine = frames(Files.readAllBytes(path));
        file.write(States.state(1));
        List<byte[]> other = frames(Files.readAllBytes(path));
        mine.set(1, other.get(1));
        refuse(mine);
    }

    @Test
    void anotherFormatIsToldFromDamage() throws Exception {
        file.write(States.state(1));
        Files.writeString(
                path,
                Files.readString(path, StandardCharsets.ISO_8859_1)
                        .replace("format: 1", "format: 2"),
                StandardCharsets.ISO_8859_1);
        assertThat(refused(file).message()).contains("format: 2 (expected: 1)");
        Files.writeString(path, "apiVersion: v1\n");
        assertThat(refused(file).message()).contains("not a stored state");
    }

    @Test
    void whateverIsInTheFileIsRefusedInTime() throws Exception {
        file.write(States.state(3));
        byte[] whole = Files.readAllBytes(path);
        int header = frames(whole).getFirst().length;
        var random = new Random(20_260_601);
        for (int run = 0; run < 1_000; run++) {
            byte[] fuzzed = whole.clone();
            int edits = 1 + random.nextInt(8);
            for (int edit = 0; edit < edits; edit++) {
                int from = random.nextBoolean() ? 0 : header;
                int at = from + random.nextInt(fuzzed.length - from);
                switch (random.nextInt(4)) {
                    case 0 -> fuzzed[at] = (byte) random.nextInt();
                    case 1 -> fuzzed = Arrays.copyOf(fuzzed, at + 1);
                    case 2 -> fuzzed = Arrays.copyOf(fuzzed, fuzzed.length + random.nextInt(64));
                    default ->
                            System.arraycopy(
                                    whole,
                                    random.nextInt(whole.length / 2),
                                    fuzzed,
                                    at,
                                    Math.min(fuzzed.length - at, random.nextInt(64)));
                }
                if (fuzzed.length <= header) {
                    break;
                }
            }
            if (!Arrays.equals(fuzzed, whole)) {
                refuse(fuzzed);
            }
        }
    }

    /** The seal vouches for it, but another version wrote it. */
    @Test
    void whatThisVersionCannotReadIsLeftOutAndTold() throws Exception {
        var lines = new ByteArrayOutputStream();
        ObjectJson.append(States.service("a"), lines);
        lines.writeBytes("Ingress {\"spec\":7}\n".getBytes(StandardCharsets.US_ASCII));
        lines.writeBytes("Ingress {\"metadata\":{}}\n".getBytes(StandardCharsets.US_ASCII));
        lines.writeBytes("Gateway {}\n".getBytes(StandardCharsets.US_ASCII));
        ObjectJson.append(States.service("b"), lines);
        StoredState read = sealed(deflated(lines.toByteArray()), new byte[] {9, 9});
        assertThat(read.objects()).containsExactly(States.service("a"), States.service("b"));
        assertThat(read.findings())
                .hasSize(4)
                .allMatch(finding -> finding.reason() == Reason.STORED_STATE_REFUSED);
    }

    @Test
    void sealedNonsenseEndsInFindings() throws Exception {
        var random = new Random(7);
        for (int run = 0; run < 500; run++) {
            byte[] frame = new byte[random.nextInt(60)];
            random.nextBytes(frame);
            if (frame.length > 0) {
                frame[0] = (byte) random.nextInt(4);
            }
            if (frame.length > 1 && random.nextBoolean()) {
                Arrays.fill(frame, 1, Math.min(frame.length, 4), (byte) 0);
            }
            StoredState read = sealed(frame);
            assertThat(read.objects()).isEmpty();
            assertThat(read.certificates()).isEmpty();
        }
    }

    @Test
    void aCertificateThatCannotBeReadIsLeftOutAndTold() throws Exception {
        StoredCertificate good = States.certificate("good", "01");
        StoredState read = sealed(certificateFrame(good, new byte[] {0x30, 0x01}));
        assertThat(read.certificates()).isEmpty();
        assertThat(read.findings()).extracting(Finding::object).containsExactly(good.secret());
    }

    /** A start must not end where a parser does what it never should. */
    @Test
    void aFileThatABugKeepsFromBeingReadIsRefused() throws Exception {
        file.write(States.state(1));
        Executor buggy =
                _ -> {
                    throw new IllegalStateException("a bug");
                };
        assertThat(refused(file, buggy).message()).contains("IllegalStateException: a bug");
    }

    @Test
    void aHugeFileIsRefusedUnread() throws Exception {
        try (var channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[1]), StateFile.LARGEST); // sparse
        }
        assertThat(refused(file).message()).contains("expected: at most");
    }

    @Test
    void anUnfinishedFileOfAKilledProcessIsReplaced() throws Exception {
        file.write(States.state(1));
        Path unfinished = Files.writeString(dir.resolve("state.new"), "half");
        Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(usable(file).certificates()).hasSize(1);
        file.write(States.state(2));
        assertThat(usable(file).certificates()).hasSize(2);
        assertThat(unfinished).doesNotExist();
        assertThat(Files.getPosixFilePermissions(path)).hasSize(2);
    }

    @Test
    void aFileThatCannotBeWrittenLeavesTheOldOneAndNothingBesideIt() throws Exception {
        file.write(States.state(1));
        StoredState failing =
                new StoredState(
                        States.AS_OF,
                        List.of(
                                new Resource.OfService(
                                        States.service("a").ref(),
                                        new Unserializable(),
                                        Origin.API_SERVER)),
                        List.of());
        assertThatThrownBy(() -> file.write(failing)).isInstanceOf(RuntimeException.class);
        assertThat(usable(file).certificates()).hasSize(1);
        assertThat(names()).containsExactlyInAnyOrder("state", "state.lock");
    }

    @Test
    void aMissingFolderIsAnError() {
        StateFile nowhere =
                new StateFile(dir.resolve("none/state"), States.key(1), new SecureRandom());
        assertThatThrownBy(() -> nowhere.write(States.state(1))).isInstanceOf(IOException.class);
    }

    @Test
    void onlyOneGatewayWritesAFile() throws Exception {
        file.write(States.state(1));
        StateFile second = file(1);
        assertThatThrownBy(() -> second.write(States.state(2)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another gateway");
        assertThat(usable(second).certificates()).hasSize(1); // it may read
        file.close();
        second.write(States.state(2));
        second.close();
        assertThat(usable(file).certificates()).hasSize(2);
    }

    private StateFile file(int key) {
        return new StateFile(path, States.key(key), new SecureRandom());
    }

    private static StoredState usable(StateFile file) {
        return switch (file.read(ForkJoinPool.commonPool()).orElseThrow()) {
            case Parsed.Usable<StoredState>(StoredState state, _) -> state;
            case Parsed.Rejected<StoredState>(List<Finding> why) -> throw new AssertionError(why);
        };
    }

    private static Finding refused(StateFile file) {
        return refused(file, Runnable::run);
    }

    private static Finding refused(StateFile file, Executor parsers) {
        Optional<Parsed<StoredState>> read = file.read(parsers);
        assertThat(read.orElseThrow()).isInstanceOf(Parsed.Rejected.class);
        Finding why = read.get().findings().getFirst();
        assertThat(why.reason()).isEqualTo(Reason.STORED_STATE_REFUSED);
        return why;
    }

    private static void refuse(List<byte[]> frames) {
        refuse(join(frames));
    }

    /** As the file would be. */
    private static void refuse(byte[] contents) {
        assertThatThrownBy(() ->
                        StateReader.read(
                                new SealedReader(new ByteArrayInputStream(contents), States.key(1)),
                                Runnable::run))
                .isInstanceOf(Refused.class);
    }

    private StoredState sealed(byte[]... frames) throws IOException {
        var out = new ByteArrayOutputStream();
        var writer = new SealedWriter(out, States.key(1), States.AS_OF, new SecureRandom());
        for (byte[] frame : frames) {
            writer.frame(frame, frame.length);
        }
        writer.end();
        Files.write(path, out.toByteArray());
        return usable(file);
    }

    private static byte[] deflated(byte[] lines) {
        var deflater = new Deflater();
        deflater.setInput(lines);
        deflater.finish();
        byte[] out = new byte[lines.length + 100];
        int length = deflater.deflate(out, 5, out.length - 5);
        deflater.end();
        ByteBuffer.wrap(out).put(StateWriter.OBJECTS).putInt(lines.length);
        return Arrays.copyOf(out, 5 + length);
    }

    private static byte[] certificateFrame(StoredCertificate certificate, byte[] leaf) {
        ByteBuffer frame = ByteBuffer.allocate(10_000).put(StateWriter.CERTIFICATES);
        for (String text : List.of("default", certificate.secret().name(), "u", "1", "digest")) {
            put(frame, text.getBytes(StandardCharsets.UTF_8));
        }
        put(frame, new byte[50]);
        frame.putInt(1);
        put(frame, leaf);
        return Arrays.copyOf(frame.array(), frame.position());
    }

    private static void put(ByteBuffer frame, byte[] part) {
        frame.putInt(part.length).put(part);
    }

    /** The header, and each frame with its length. */
    private static List<byte[]> frames(byte[] whole) {
        List<byte[]> frames = new ArrayList<>();
        String text = new String(whole, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\n\n") + 2;
        frames.add(Arrays.copyOf(whole, at));
        while (at < whole.length) {
            int prefix = ByteBuffer.wrap(whole).getInt(at);
            int next = at + 4 + (prefix < 0 ? ~prefix : prefix);
            frames.add(Arrays.copyOfRange(whole, at, next));
            at = next;
        }
        return frames;
    }

    private static byte[] join(List<byte[]> parts) {
        var out = new ByteArrayOutputStream();
        parts.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private Set<String> names() throws IOException {
        Set<String> names = new HashSet<>();
        try (var files = Files.list(dir)) {
            files.forEach(it -> names.add(it.getFileName().toString()));
        }
        return names;
    }

    /** Stands for whatever goes wrong in the middle of writing. */
    private static final class Unserializable extends Service {
        private static final long serialVersionUID = 1;

        @Override
        public String getApiVersion() {
            throw new IllegalStateException("a bug at " + Instant.EPOCH);
        }
    }
}
