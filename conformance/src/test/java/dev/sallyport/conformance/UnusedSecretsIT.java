package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A key that no Ingress asks for is not kept, and is there as soon as one does. */
@OnCluster(needs = Need.PODS)
final class UnusedSecretsIT {

    private static final System.Logger LOG = System.getLogger("conformance.figures");

    /** Well below a second on a machine that does nothing else. */
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir private Path work;

    @Test
    void aKeyThatNothingRefersToIsNotInMemoryAndIsServedSoonOnceSomethingDoes(
            Cluster cluster, Namespace namespace) {
        Pki pki = Pki.in(work);
        String usedHost = "used." + namespace.name() + ".test";
        String unusedHost = "unused." + namespace.name() + ".test";
        Leaf used = pki.ecdsa(usedHost);
        Leaf unused = pki.ecdsa(unusedHost);
        try (GatewayAccount account = GatewayAccount.in(namespace, work);
                Api api = namespace.api(work)) {
            namespace
                    .echo("echo", 1)
                    .apply(
                            Manifests.secret("used", used),
                            Manifests.secret("unused", unused),
                            account.classed(ingress("used"))
                                    .tls("used", usedHost)
                                    .host(usedHost, "echo")
                                    .yaml());
            try (Gateway gateway = account.gateway(cluster, work, pki).start()) {
                gateway.awaitServed(usedHost, used);
                assertNoneInMemory(gateway, List.of(used), List.of(unused));

                Leaf unusedNext = pki.ecdsa(unusedHost);
                Leaf usedNext = pki.ecdsa(usedHost);
                api.apply(Api.Kind.SECRET, "unused", Manifests.secret("unused", unusedNext));
                api.apply(Api.Kind.SECRET, "used", Manifests.secret("used", usedNext));
                gateway.awaitServed(usedHost, usedNext);
                // The client's buffers hold what came last, in base64 as it came: SECURITY.md.
                assertNoneInMemory(gateway, List.of(used), List.of(unused, unusedNext));

                long start = System.nanoTime();
                api.apply(
                        Api.Kind.INGRESS,
                        "unused",
                        account.classed(ingress("unused"))
                                .tls("unused", unusedHost)
                                .host(unusedHost, "echo")
                                .yaml());
                gateway.awaitServed(unusedHost, unusedNext);
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                LOG.log(
                        System.Logger.Level.INFO,
                        "an Ingress for a Secret that was not kept is served with it after {0} ms",
                        took.toMillis());
                assertThat(took).isLessThan(SOON);
            }
        }
    }

    /** No PEM of a key that is used, and nothing at all of one that is not. */
    private void assertNoneInMemory(Gateway gateway, List<Leaf> used, List<Leaf> unused) {
        try (HeapDump heap = HeapDump.of(gateway, work)) {
            assertThat(heap.find("sallyport.dev/ingress-controller"))
                    .as("what is surely in memory")
                    .isNotEmpty();
            List<String> found = new ArrayList<>();
            used.forEach(leaf -> found.addAll(heap.findPem(leaf.key())));
            unused.forEach(leaf -> found.addAll(heap.findKey(leaf.key())));
            assertThat(found.size()).as("traces of keys").isZero(); // which are not to be shown
        }
    }
}
