package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * All objects of a process that anything can reach, as the JVM writes them into a file, to be
 * searched for stretches of texts. Closing it deletes the file.
 */
final class HeapDump implements AutoCloseable {

    /** Of a text each stretch of so many characters is searched for, wherever it begins. */
    private static final int STRETCH = 24;

    /** How many characters all P-256 keys have in common. */
    private static final int COMMON = 48;

    /** The array of a string, of characters, and of a string with others than Latin letters. */
    private static final List<Charset> FORMS = List.of(ISO_8859_1, UTF_16BE, UTF_16LE);

    private final Path file;

    private HeapDump(Path file) {
        this.file = file;
    }

    /** What a gateway has in memory at this moment, after a full collection. */
    static HeapDump of(Gateway gateway, Path work) {
        Path file = work.resolve("heap.hprof");
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Ran ran =
                Ran.run(
                        jcmd,
                        Long.toString(gateway.pid()),
                        "GC.heap_dump",
                        "-overwrite",
                        file.toString());
        assertThat(ran.exit()).as(ran.all()).isZero();
        assertThat(file).exists();
        return new HeapDump(file);
    }

    /** The stretches of a text that are in memory. */
    List<String> find(String text) {
        Map<String, byte[]> stretches = new HashMap<>();
        for (int at = 0; at + STRETCH <= text.length(); at += STRETCH / 2) {
            String stretch = text.substring(at, at + STRETCH);
            for (Charset form : FORMS) {
                stretches.put(stretch + " in " + form, stretch.getBytes(form));
            }
        }
        return find(stretches);
    }

    /** What is in memory of a P-256 key's PEM, as it is. */
    List<String> findPem(String pem) {
        return find(body(pem).substring(COMMON));
    }

    /** What is in memory of a P-256 key, as PEM or DER; not as base64 of a PEM. */
    List<String> findKey(String pem) {
        byte[] key = Base64.getDecoder().decode(body(pem));
        List<String> found = new ArrayList<>(findPem(pem));
        found.addAll(find(Map.of("DER", Arrays.copyOfRange(key, COMMON / 4 * 3, key.length))));
        return found;
    }

    private static String body(String pem) {
        return pem.lines().filter(line -> !line.startsWith("-")).collect(Collectors.joining());
    }

    private List<String> find(Map<String, byte[]> needles) {
        Map<Integer, List<Map.Entry<String, byte[]>>> byBeginning = new HashMap<>();
        boolean[] beginnings = new boolean[1 << 16];
        for (Map.Entry<String, byte[]> needle : needles.entrySet()) {
            int beginning = beginning(needle.getValue()[0], needle.getValue()[1]);
            beginnings[beginning] = true;
            byBeginning.computeIfAbsent(beginning, _ -> new ArrayList<>()).add(needle);
        }
        List<String> found = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file)) {
            MappedByteBuffer bytes = channel.map(MapMode.READ_ONLY, 0, channel.size());
            int end = bytes.limit() - 1;
            for (int at = 0; at < end; at++) {
                int beginning = beginning(bytes.get(at), bytes.get(at + 1));
                if (beginnings[beginning]) {
                    for (var needle : byBeginning.getOrDefault(beginning, List.of())) {
                        if (matches(bytes, at, needle.getValue())) {
                            found.add(needle.getKey() + " at " + at);
                        }
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static int beginning(byte first, byte second) {
        return (first & 0xff) << 8 | (second & 0xff);
    }

    private static boolean matches(MappedByteBuffer bytes, int at, byte[] needle) {
        if (at + needle.length > bytes.limit()) {
            return false;
        }
        for (int i = 0; i < needle.length; i++) {
            if (bytes.get(at + i) != needle[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
