package dev.sallyport.acme.store;

import static dev.sallyport.acme.store.StoredValues.ID;
import static dev.sallyport.acme.store.StoredValues.ISSUER;
import static dev.sallyport.acme.store.StoredValues.read;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The machine goes down after every single step of an order's saving, in turn. */
class DirectoryStoreCrashTest {
    private static final Path ROOT = Path.of("state");

    private final StoredAccount fresh = StoredValues.account();
    private final StoredAccount registered = fresh.at(URI.create("https://ca.example/acct/1"));
    private final StoredOrder begun = StoredValues.order();
    private final StoredOrder known = begun.at(URI.create("https://ca.example/order/1"));
    private final StoredCertificate before = StoredValues.certificate();
    private final StoredCertificate after = StoredValues.certificate();

    /** What was saved for sure: the last value of each kind whose saving returned. */
    private static final class Promised {
        Optional<StoredAccount> account = Optional.empty();
        Optional<StoredOrder> order = Optional.empty();
        boolean orderBusy;
        List<StoredCertificate> certificates = new ArrayList<>();
        boolean finished;
    }

    @Test
    void afterEachStepThereIsTheOldOrTheNew() throws IOException {
        int steps = 0;
        Promised promised;
        do {
            var disk = new CrashingDisk(steps);
            promised = run(disk);
            check(disk.lucky(), promised, steps);
            check(disk.unlucky(), promised, steps);
            check(disk.torn(), promised, steps);
            steps++;
        } while (!promised.finished);
        assertThat(steps).isGreaterThan(30);
    }

    private Promised run(CrashingDisk disk) throws IOException {
        var promised = new Promised();
        try {
            DirectoryStore store = DirectoryStore.open(ROOT, disk);
            store.save(fresh);
            promised.account = Optional.of(fresh);
            store.save(registered);
            promised.account = Optional.of(registered);
            store.save(before);
            promised.certificates.add(before);
            store.save(begun);
            promised.order = Optional.of(begun);
            store.save(known);
            promised.order = Optional.of(known);
            store.save(after);
            promised.certificates.add(after);
            promised.orderBusy = true;
            store.removeOrder(ID);
            promised.order = Optional.empty();
            promised.orderBusy = false;
            promised.finished = true;
        } catch (CrashingDisk.Down down) {
            // Goes on with what was promised before.
        }
        return promised;
    }

    /** Every reading succeeds: nothing is ever damaged, and nothing that was promised is lost. */
    private void check(CrashingDisk disk, Promised promised, int steps) throws IOException {
        DirectoryStore store = DirectoryStore.open(ROOT, disk);
        Optional<StoredAccount> account = read(store.account(ISSUER));
        promised.account.ifPresent(saved ->
                assertThat(account)
                        .as("account, step %s", steps)
                        .isPresent()
                        .get()
                        .satisfies(it -> assertThat(it.key()).isEqualTo(saved.key())));
        promised.account
                .flatMap(StoredAccount::location)
                .ifPresent(
                        url -> assertThat(account.flatMap(StoredAccount::location)).contains(url));
        Optional<StoredOrder> order = read(store.order(ID));
        if (!promised.orderBusy) {
            promised.order.ifPresent(saved ->
                    assertThat(order.orElseThrow().key())
                            .as("order, step %s", steps)
                            .isEqualTo(saved.key()));
        }
        Optional<StoredCertificate> certificate = read(store.certificate(ID));
        if (!promised.certificates.isEmpty()) {
            assertThat(certificate).as("certificate, step %s", steps).isPresent();
        }
        if (promised.certificates.size() == 2) {
            assertThat(certificate.orElseThrow().bundle().fingerprint())
                    .isEqualTo(after.bundle().fingerprint());
        }
        if (promised.finished) {
            assertThat(order).isEmpty();
        }
        assertThat(disk.list(ROOT.resolve("accounts"))).noneMatch(name -> name.endsWith("~"));
    }
}
