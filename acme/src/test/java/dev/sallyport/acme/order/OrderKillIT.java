package dev.sallyport.acme.order;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.acme.TestIssuers;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.model.finding.Parsed;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process that orders from a real Pebble, killed in the middle, over and over. */
@Tag("pebble")
class OrderKillIT {
    private static final int KILLS = 10;
    private static final OrderTimes TIMES =
            new OrderTimes(Duration.ofMinutes(1), Duration.ofSeconds(10), Duration.ofMillis(50));

    /** What is killed: orders one certificate after the other, and says each station. */
    static final class Orderer {
        private Orderer() {}

        /** Arguments: state, directory, CA file, port for challenges, the first number. */
        public static void main(String[] arguments) throws Exception {
            var out = new FileOutputStream(FileDescriptor.out);
            Path state = Path.of(arguments[0]);
            Issuer issuer = issuer(arguments[1], Files.readString(Path.of(arguments[2])));
            try (DirectoryStore store = DirectoryStore.open(state);
                    var board = new HttpResponder(Integer.parseInt(arguments[3]));
                    var authority =
                            CertificateAuthority.of(issuer, store, Clock.system(ZoneOffset.UTC))) {
                for (int number = Integer.parseInt(arguments[4]); ; number++) {
                    String name = "host" + number;
                    Outcome outcome =
                            order(
                                    store,
                                    board,
                                    authority,
                                    name,
                                    station -> say(out, name + " " + station));
                    if (outcome instanceof Outcome.Failed failed) {
                        throw new IllegalStateException(failed.cause().toString());
                    }
                }
            }
        }

        private static void say(FileOutputStream out, String line) {
            try {
                out.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            } catch (IOException gone) {
                throw new IllegalStateException(gone);
            }
        }
    }

    @Test
    void whateverMomentItIsKilledOrdersGoOnAndNothingIsLost(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("state");
        Path trusted = folder.resolve("ca.pem");
        var random = new Random(11);
        Set<String> begun = new TreeSet<>();
        try (PebbleServer pebble =
                PebbleServer.start(folder.resolve("pebble"), PebbleServer.behaving())) {
            Files.writeString(trusted, pebble.trusted());
            Issuer issuer = issuer(pebble.directory().toString(), pebble.trusted());
            Optional<StoredAccount> account = Optional.empty();
            int next = 0;
            for (int kill = 0; kill < KILLS; kill++) {
                int stations = 1 + random.nextInt(Progress.Station.values().length * 2);
                int spins = random.nextInt(200_000);
                begun.addAll(runAndKill(pebble, state, trusted, next, stations, spins));
                next += 100; // names of its own for each round
                try (DirectoryStore store = DirectoryStore.open(state);
                        var board = new HttpResponder(pebble.httpPort());
                        var authority =
                                CertificateAuthority.of(
                                        issuer, store, Clock.system(ZoneOffset.UTC))) {
                    for (String left : store.orders()) {
                        assertThat(order(store, board, authority, left, Progress.IGNORED))
                                .isInstanceOf(Outcome.Issued.class);
                        begun.add(left);
                    }
                    assertThat(store.orders()).isEmpty();
                    assertThat(store.certificates()).containsAll(begun);
                    Optional<StoredAccount> now = read(store.account(issuer));
                    account.ifPresent(before -> assertThat(now).contains(before));
                    account = now.filter(it -> it.location().isPresent());
                }
            }
            assertThat(account).isPresent();
            assertThat(pebble.orders())
                    .as("orders for %s certificates with %s kills", begun.size(), KILLS)
                    .isBetween((long) begun.size(), (long) begun.size() + KILLS);
        }
    }

    private static Set<String> runAndKill(
            PebbleServer pebble, Path state, Path trusted, int from, int stations, int spins)
            throws Exception {
        Process orderer =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Orderer.class.getName(),
                                state.toString(),
                                pebble.directory().toString(),
                                trusted.toString(),
                                String.valueOf(pebble.httpPort()),
                                String.valueOf(from))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        Set<String> keyed = new TreeSet<>();
        try (BufferedReader out = orderer.inputReader()) {
            for (int i = 0; i < stations; i++) {
                heard(Optional.ofNullable(out.readLine()).orElseThrow(), keyed);
            }
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            orderer.toHandle().destroyForcibly(); // destroying the process closes what it said
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                heard(line, keyed);
            }
        } finally {
            orderer.destroyForcibly();
            assertThat(orderer.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        return keyed;
    }

    private static void heard(String line, Set<String> keyed) {
        if (line.endsWith(" " + Progress.Station.KEY_STORED)) {
            keyed.add(line.substring(0, line.indexOf(' ')));
        }
    }

    private static Outcome order(
            DirectoryStore store,
            HttpResponder board,
            CertificateAuthority authority,
            String name,
            Progress progress)
            throws InterruptedException {
        var order =
                CertificateOrder.of(
                        List.of(Identifier.parse(name + ".shop.example")), KeyAlgorithm.EC_P256);
        return new OrderRunner(store, board, Clock.system(ZoneOffset.UTC), Pause.PARKED, TIMES)
                .run(
                        authority,
                        new OrderRequest(new CertificateId(name), order, Optional.empty()),
                        progress);
    }

    private static Issuer issuer(String directory, String trusted) {
        IssuerDraft draft =
                IssuerDraft.of("main", URI.create(directory).toString(), List.of(), true)
                        .ofOwn(trusted.getBytes(StandardCharsets.US_ASCII));
        return TestIssuers.usable(draft);
    }

    private static <T> Optional<T> read(Parsed<Optional<T>> parsed) {
        return switch (parsed) {
            case Parsed.Usable<Optional<T>> usable -> usable.value();
            case Parsed.Rejected<Optional<T>> rejected ->
                    throw new AssertionError(rejected.findings());
        };
    }
}
