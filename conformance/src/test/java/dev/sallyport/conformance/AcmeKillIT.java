package dev.sallyport.conformance;

import static dev.sallyport.conformance.IssuingFolder.SOON;
import static dev.sallyport.conformance.IssuingFolder.awaitTrusted;
import static dev.sallyport.conformance.IssuingFolder.trusted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 of the packaged gateway at each request of an order: before and after the CA saw it. */
@Tag("pebble")
class AcmeKillIT {
    private static final System.Logger LOG = System.getLogger(AcmeKillIT.class.getName());

    /** With an account that is there: directory, nonce, order, authorization, challenge… */
    private static final int LEAST_STEPS = 8;

    /** Directory, nonce, account, and the order that is the first to use it. */
    private static final int REGISTRATION = 4;

    @TempDir private Path work;

    @Test
    void killedAtEachStepItGoesOnWithOneOrderMoreAtMost() throws Exception {
        try (IssuingFolder shop = IssuingFolder.in(work);
                Pebble pebble = shop.pebble("pebble", Pebble.behaving().refusingNoNonce());
                CutOffCa ca = new CutOffCa(shop.pki(), pebble)) {
            X509Certificate root = pebble.root();
            Map<String, X509Certificate> served = new HashMap<>();
            int kills = 0;
            int again = 0;
            Gateway gateway = shop.gateway(ca.directory()).start();
            boolean whole = false;
            for (int step = 1; !whole; step++) {
                for (boolean before : new boolean[] {true, false}) {
                    String host = (before ? "before" : "after") + step + ".kill.example";
                    long orders = pebble.orders();
                    ca.cutAt(step, before);
                    shop.host(host);
                    Gateway running = gateway;
                    await("the step, or the end")
                            .atMost(SOON)
                            .pollInterval(Duration.ofMillis(5))
                            .until(() -> ca.isCut() || isTrusted(running, host, root));
                    if (!ca.isCut()) {
                        whole = true; // there are no more steps
                        break;
                    }
                    gateway.kill();
                    kills++;
                    ca.goOn();
                    gateway = shop.gateway(ca.directory()).start();
                    for (var each : served.entrySet()) {
                        assertThat(trusted(gateway, each.getKey(), root))
                                .as("%s at once after the start", each.getKey())
                                .isEqualTo(each.getValue());
                    }
                    served.put(host, awaitTrusted(gateway, host, root));
                    assertThat(pebble.orders() - orders)
                            .as("orders for %s", host)
                            .isBetween(1L, 2L);
                    again += (int) (pebble.orders() - orders - 1);
                }
            }
            gateway.close();
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0} times killed, {1} orders made twice, {2} accounts",
                    kills,
                    again,
                    pebble.accounts());
            assertThat(kills).isGreaterThanOrEqualTo(2 * LEAST_STEPS);
            // The CA may ask for a proof just when nobody listens; that order comes to nothing.
            assertThat(again).as("only where its answer was lost").isLessThanOrEqualTo(4);
            assertThat(pebble.accounts()).isEqualTo(1);
        }
    }

    @Test
    void killedAtEachStepOfItsRegistrationItHasOneAccount() throws Exception {
        for (int step = 1; step <= REGISTRATION; step++) {
            for (boolean before : new boolean[] {true, false}) {
                Path own = work.resolve((before ? "before" : "after") + step);
                killedWhileItRegisters(Files.createDirectory(own), step, before);
            }
        }
    }

    private static void killedWhileItRegisters(Path work, int step, boolean before)
            throws Exception {
        try (IssuingFolder shop = IssuingFolder.in(work);
                Pebble pebble = shop.pebble("pebble", Pebble.behaving().refusingNoNonce());
                CutOffCa ca = new CutOffCa(shop.pki(), pebble)) {
            String host = "first.kill.example";
            ca.cutAt(step, before);
            Gateway gateway = shop.host(host).gateway(ca.directory()).start();
            await("step " + step).atMost(SOON).pollInterval(Duration.ofMillis(5)).until(ca::isCut);
            gateway.kill();
            ca.goOn();
            try (Gateway next = shop.gateway(ca.directory()).start()) {
                awaitTrusted(next, host, pebble.root());
                assertThat(pebble.accounts()).as("accounts, killed at %s", work).isEqualTo(1);
                assertThat(pebble.orders()).as("orders, killed at %s", work).isBetween(1L, 2L);
            }
        }
    }

    private static boolean isTrusted(Gateway gateway, String host, X509Certificate root) {
        try {
            trusted(gateway, host, root);
            return true;
        } catch (java.io.IOException notYet) {
            return false;
        }
    }
}
