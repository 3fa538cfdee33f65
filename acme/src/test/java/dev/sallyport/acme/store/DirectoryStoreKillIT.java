package dev.sallyport.acme.store;

import static dev.sallyport.acme.store.StoredValues.ID;
import static dev.sallyport.acme.store.StoredValues.ISSUER;
import static dev.sallyport.acme.store.StoredValues.read;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process, killed in the middle of saving, over and over on the same directory. */
class DirectoryStoreKillIT {
    private static final int KILLS = 12;

    /** What is killed: saves account and order with ever higher numbers, and says each it saved. */
    static final class Saver {
        private Saver() {}

        @SuppressWarnings("InfiniteLoopStatement")
        public static void main(String[] arguments) throws IOException {
            int number = Integer.parseInt(arguments[1]);
            var out = new FileOutputStream(FileDescriptor.out);
            DirectoryStore store = DirectoryStore.open(Path.of(arguments[0]));
            StoredAccount account = StoredValues.account();
            StoredOrder order = StoredValues.order();
            while (true) {
                number++;
                store.save(account.at(url(number)));
                store.save(order.at(url(number)));
                out.write((number + "\n").getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    @Test
    void whateverMomentItIsKilledNothingIsDamagedOrLost(@TempDir Path folder) throws Exception {
        Path root = folder.resolve("state");
        var random = new Random(7);
        int saved = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            saved = runAndKill(root, saved, 1 + random.nextInt(40), random.nextInt(3_000));
            try (DirectoryStore store = DirectoryStore.open(root)) {
                int account = number(read(store.account(ISSUER)).orElseThrow().location());
                int order = number(read(store.order(ID)).orElseThrow().location());
                assertThat(account).isBetween(saved, saved + 1);
                assertThat(order).isBetween(saved, account);
                saved = order;
            }
        }
    }

    /** Lets it save some, then spins a little, then kills it; what it said last. */
    private static int runAndKill(Path root, int from, int lines, int spins) throws Exception {
        Process saver =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-XX:TieredStopAtLevel=1",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Saver.class.getName(),
                                        root.toString(),
                                        String.valueOf(from)))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        int last = from;
        try (BufferedReader out = saver.inputReader()) {
            for (int i = 0; i < lines; i++) {
                last = Integer.parseInt(Optional.ofNullable(out.readLine()).orElseThrow());
            }
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            saver.toHandle().destroyForcibly(); // destroying the process closes what it said
            // What it had said before it was killed.
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                last = Integer.parseInt(line);
            }
        } finally {
            saver.destroyForcibly();
            assertThat(saver.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        return last;
    }

    private static URI url(int number) {
        return URI.create("https://ca.example/" + number);
    }

    private static int number(Optional<URI> url) {
        return Integer.parseInt(url.orElseThrow().getPath().substring(1));
    }
}
