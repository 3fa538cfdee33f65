package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * h2spec, strict. Maven unpacks its archive for linux-x86_64; elsewhere this class is left out of
 * the build (profiles of the POM).
 */
final class H2SpecIT {
    private static final int ALL = 146;
    private static final int TAR_BLOCK = 512;

    @TempDir static Path folder;
    private static Path h2spec = Path.of("h2spec");

    @BeforeAll
    static void unpack() throws IOException {
        h2spec = folder.resolve("h2spec");
        try (Stream<Path> files = Files.walk(Path.of("target", "h2spec"));
                InputStream archive =
                        Files.newInputStream(
                                files.filter(file -> file.toString().endsWith(".tar.gz"))
                                        .findFirst()
                                        .orElseThrow())) {
            Files.write(h2spec, onlyFileIn(new GZIPInputStream(archive)));
        }
        assertThat(h2spec.toFile().setExecutable(true)).isTrue();
    }

    @AfterAll
    static void noBufferIsLost() {
        LeakPresenceDetector.check();
    }

    @Test
    void allCasesPassOverPlainHttp2() throws Exception {
        try (TestServer server = TestServer.plain(new AnsweringExchanges())) {
            assertThat(failures(server, "plain.xml")).isEmpty();
        }
    }

    @Test
    void allCasesPassOverTls() throws Exception {
        try (TestServer server = TestServer.tls(new AnsweringExchanges())) {
            assertThat(failures(server, "tls.xml", "-t", "-k")).isEmpty();
        }
    }

    /** Runs all cases and names those that failed. */
    private static List<String> failures(TestServer server, String report, String... options)
            throws Exception {
        Path xml = folder.resolve(report);
        Path out = folder.resolve(report + ".out");
        List<String> command =
                new ArrayList<>(
                        List.of(
                                h2spec.toString(),
                                "-h",
                                "127.0.0.1",
                                "-p",
                                Integer.toString(server.port()),
                                "-P",
                                "/",
                                "-S",
                                "-j",
                                xml.toString()));
        command.addAll(List.of(options));
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(xml.toFile());
        NodeList cases = document.getElementsByTagName("testcase");
        assertThat(cases.getLength()).as(Files.readString(out)).isEqualTo(ALL);
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < cases.getLength(); i++) {
            Element each = (Element) cases.item(i);
            if (each.getElementsByTagName("*").getLength() > 0) { // failure, error or skipped
                failures.add(
                        each.getAttribute("package")
                                + " "
                                + each.getAttribute("classname")
                                + ": "
                                + each.getTextContent());
            }
        }
        if (failures.isEmpty()) {
            assertThat(Files.readString(out))
                    .contains("146 tests, 146 passed, 0 skipped, 0 failed");
        }
        return failures;
    }

    /** The contents of the first file of a tar archive. */
    private static byte[] onlyFileIn(InputStream tar) throws IOException {
        try (DataInputStream in = new DataInputStream(tar)) {
            byte[] header = new byte[TAR_BLOCK];
            in.readFully(header);
            String size = new String(header, 124, 11, StandardCharsets.US_ASCII).strip();
            byte[] contents = new byte[Integer.parseInt(size, 8)];
            in.readFully(contents);
            return contents;
        }
    }
}
