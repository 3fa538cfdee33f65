package dev.sallyport.conformance;

import static dev.sallyport.conformance.Manifests.base64;
import static dev.sallyport.conformance.Manifests.ingress;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The folder as an API server, while a thread shakes hands with bystanders all the time: their
 * certificates never change, whatever happens beside them.
 */
final class FolderIT {

    private static final int BYSTANDERS = 5;

    @TempDir private static Path work;
    private static Pki pki;
    private static Backend one;
    private static Backend two;
    private static Folder folder;
    private static Gateway gateway;
    private static final List<Leaf> BYSTANDING = new ArrayList<>();
    private static final Queue<String> BLINKS = new ConcurrentLinkedQueue<>();
    private static final AtomicInteger LOOKS = new AtomicInteger();
    private static Thread watcher;

    @BeforeAll
    static void start() {
        pki = Pki.in(work);
        one = Backend.echo("one");
        two = Backend.echo("two");
        folder =
                Folder.in(work)
                        .put(
                                "services.yaml",
                                Manifests.service("one", one),
                                Manifests.service("two", two));
        for (int i = 0; i < BYSTANDERS; i++) {
            Leaf leaf = pki.ecdsa("good-" + i + ".test");
            BYSTANDING.add(leaf);
            folder.put("good-" + i + ".yaml", site("good-" + i, leaf));
        }
        gateway =
                Gateway.in(work, pki, folder)
                        .jvm("-Dio.netty.leakDetection.level=paranoid")
                        .start();
        watcher = Thread.ofVirtual().name("bystanders").start(FolderIT::watchBystanders);
    }

    @AfterAll
    static void stop() throws InterruptedException {
        watcher.interrupt();
        watcher.join();
        gateway.close();
        one.close();
        two.close();
        assertThat(BLINKS).isEmpty();
        assertThat(LOOKS.get()).isGreaterThan(100);
    }

    private static void watchBystanders() {
        for (int i = 0; !Thread.currentThread().isInterrupted(); i = (i + 1) % BYSTANDERS) {
            String host = "good-" + i + ".test";
            try {
                if (!Handshakes.serial(gateway.https(), host).equals(BYSTANDING.get(i).serial())) {
                    BLINKS.add(host + ": another certificate");
                }
                LOOKS.incrementAndGet();
            } catch (IOException e) {
                if (!Thread.currentThread().isInterrupted()) {
                    BLINKS.add(host + ": " + e);
                }
            }
        }
    }

    /** A Secret and an Ingress for {@code NAME.test}. */
    private static String[] site(String name, Leaf leaf) {
        return new String[] {Manifests.secret(name, leaf), route(name)};
    }

    private static String route(String name) {
        return ingress(name).tls(name, name + ".test").host(name + ".test", "one").yaml();
    }

    /** A host with a good certificate, in two files. */
    private static Leaf goodSite(String name) {
        Leaf leaf = pki.ecdsa(name + ".test");
        folder.put(name + "-route.yaml", route(name))
                .put(name + ".yaml", Manifests.secret(name, leaf));
        gateway.awaitServed(name + ".test", leaf);
        return leaf;
    }

    private static String backendOf(String host) {
        return Echo.parse(RawClient.plain(gateway.http()).get(host, "/").body()).backend();
    }

    private static void awaitBackend(String host, String backend) {
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .ignoreExceptions()
                .until(() -> backendOf(host).equals(backend));
    }

    // How files change

    @Test
    void aFileReplacedByRenameIsSeen() {
        goodSite("renamed");
        Leaf next = pki.ecdsa("renamed.test");

        folder.put("renamed.yaml", Manifests.secret("renamed", next));

        gateway.awaitServed("renamed.test", next);
    }

    @Test
    void aFileEditedInPlaceIsSeen() {
        goodSite("edited");
        Leaf next = pki.ecdsa("edited.test");

        folder.write("edited.yaml", Manifests.secret("edited", next));

        gateway.awaitServed("edited.test", next);
    }

    @Test
    void aVolumeSwappedByTheKubeletIsSeen() {
        folder.put("swapped-route.yaml", route("swapped"));
        for (int version = 0; version < 3; version++) {
            Leaf leaf = pki.ecdsa("swapped.test");

            folder.publish(
                    "volume",
                    version,
                    List.of(new Folder.Document("tls.yaml", Manifests.secret("swapped", leaf))));

            gateway.awaitServed("swapped.test", leaf);
        }
    }

    @Test
    void aNewFileInANewFolderIsSeen() {
        Leaf leaf = pki.ecdsa("nested.test");

        folder.put("deep/er/nested.yml", site("nested", leaf));

        gateway.awaitServed("nested.test", leaf);
    }

    @Test
    void aDeletedFilesObjectsAreGone() {
        folder.put("deleted.yaml", ingress("deleted").host("deleted.test", "one").yaml());
        gateway.awaitStatus("deleted.test", "/", 200);

        folder.delete("deleted.yaml");

        gateway.awaitStatus("deleted.test", "/", 404);
    }

    @Test
    void aHalfWrittenFileKeepsItsLastGoodObjectsAndIsReportedWithItsLine() {
        Leaf good = goodSite("half");
        Leaf next = pki.ecdsa("half.test");
        String whole = Manifests.secret("half", next);

        folder.write("half.yaml", whole.replace("metadata:", "metadata: {"));

        assertThat(gateway.awaitFinding("FileUnreadable", "half.yaml"))
                .containsPattern("\\b[1-9]\\d*\\b");
        gateway.awaitServed("half.test", good);
        folder.write("half.yaml", whole);
        gateway.awaitServed("half.test", next);
        gateway.awaitNoFinding("half.yaml");
    }

    // What files hold

    @Test
    void theFirstOfTwoFilesWithTheSameObjectWins() {
        folder.put("dup-a.yaml", ingress("dup").host("dup.test", "one").yaml());
        folder.put("dup-b.yaml", ingress("dup").host("dup.test", "two").yaml());

        assertThat(gateway.awaitFinding("ObjectDuplicate", "dup-b.yaml")).contains("dup-a.yaml");
        assertThat(backendOf("dup.test")).isEqualTo("one");
        folder.delete("dup-a.yaml");
        awaitBackend("dup.test", "two");
        gateway.awaitNoFinding("ObjectDuplicate");
    }

    @Test
    void aSecretIsThatOfTheFirstFileThatHasItAndThenOfTheNext() {
        Leaf second = goodSite("twice");
        Leaf first = pki.ecdsa("twice.test");

        folder.put("a-twice.yaml", Manifests.secret("twice", first));
        gateway.awaitServed("twice.test", first);
        folder.delete("a-twice.yaml");

        gateway.awaitServed("twice.test", second);
        gateway.awaitNoFinding("twice.yaml");
    }

    @Test
    void aMovedFileIsServedOnWithoutAFinding() throws IOException {
        Leaf leaf = goodSite("moved");

        folder.move("moved.yaml", "moved-to.yaml");
        folder.put(
                "after-moved.yaml", ingress("after-moved").host("after-moved.test", "one").yaml());

        gateway.awaitStatus("after-moved.test", "/", 200);
        assertThat(Handshakes.serial(gateway.https(), "moved.test")).isEqualTo(leaf.serial());
        gateway.awaitNoFinding("moved.yaml");
        gateway.awaitNoFinding("moved-to.yaml");
    }

    @Test
    void theItemsOfAListAreObjects() {
        String item = ingress("listed").host("listed.test", "one").yaml().indent(4);

        folder.put("list.yaml", "apiVersion: v1\nkind: List\nitems:\n  -" + item.substring(3));

        awaitBackend("listed.test", "one");
    }

    @Test
    void jsonIsReadAsWell() {
        folder.put(
                "json.json",
                """
                {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                 "metadata": {"name": "json", "namespace": "default"},
                 "spec": {"rules": [{"host": "json.test", "http": {"paths": [
                   {"path": "/", "pathType": "Prefix",
                    "backend": {"service": {"name": "one", "port": {"number": 80}}}}]}}]}}
                """);

        awaitBackend("json.test", "one");
    }

    @Test
    void stringDataIsReadAsWell() {
        Leaf leaf = pki.ecdsa("stringdata.test");

        folder.put(
                "stringdata.yaml",
                String.format(
                        Locale.ROOT,
                        """
                        apiVersion: v1
                        kind: Secret
                        metadata:
                          name: stringdata
                          namespace: default
                        type: kubernetes.io/tls
                        stringData:
                          tls.crt: |
                        %s  tls.key: |
                        %s\
                        """,
                        leaf.chain().indent(4),
                        leaf.key().indent(4)),
                route("stringdata"));

        gateway.awaitServed("stringdata.test", leaf);
    }

    @Test
    void otherKindsAreIgnoredWithoutNoise() {
        folder.put(
                "other.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\ndata:\n  a: b\n",
                "apiVersion: example.dev/v1\nkind: Thing\nmetadata:\n  name: other\n",
                ingress("beside-others").host("beside-others.test", "one").yaml());

        awaitBackend("beside-others.test", "one");
        assertThat(gateway.findings()).noneMatch(finding -> finding.contains("other.yaml"));
    }

    @Test
    void theOlderOfTwoConflictingRoutesWinsAndTheLoserLearnsIt() {
        folder.put("conflict-a.yaml", aged("conflict-a", "two", "2025-01-01T00:00:00Z"));
        folder.put("conflict-b.yaml", aged("conflict-b", "one", "2024-01-01T00:00:00Z"));

        awaitBackend("conflict.test", "one");
        gateway.awaitFinding("RouteConflict", "conflict-a");
    }

    private static String aged(String name, String service, String created) {
        return ingress(name)
                .host("conflict.test", service)
                .yaml()
                .replace("metadata:\n", "metadata:\n  creationTimestamp: \"" + created + "\"\n");
    }

    // Secrets that turn bad

    /**
     * A Secret that is not to be served.
     *
     * @param reason the finding it gives
     * @param document the Secret, with {@code NAME} for its name
     */
    record BadSecret(String label, String reason, String document) {
        @Override
        public String toString() {
            return label;
        }
    }

    static Stream<BadSecret> badSecrets() {
        Leaf good = pki.ecdsa("bad.test");
        Leaf other = pki.ecdsa("bad.test");
        String key = good.key();
        String chain = good.chain();
        Leaf weak = pki.issue(wanted -> wanted.withKey(Pki.rsaKey(1024)), "bad.test");
        Leaf nameless = pki.issue(wanted -> wanted.withSubject("O=nobody"));
        Leaf future =
                pki.issue(
                        wanted -> wanted.valid("2090-01-01T00:00:00Z", "2091-01-01T00:00:00Z"),
                        "bad.test");
        return Stream.of(
                bad("the key of another", "KeyMismatch", chain, other.key()),
                bad("no PEM as certificate", "CertificateUnreadable", "garbage", key),
                bad("half a certificate", "CertificateUnreadable", chain.substring(0, 200), key),
                bad(
                        "PEM around garbage",
                        "CertificateUnreadable",
                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                        key),
                bad("no PEM as key", "KeyUnreadable", chain, "garbage"),
                bad("half a key", "KeyUnreadable", chain, key.substring(0, 60)),
                bad("an encrypted key", "KeyEncrypted", chain, encrypted(key)),
                bad("certificate and key swapped", "Unreadable", key, chain),
                bad("an empty certificate", "SecretIncomplete", "", key),
                bad("an empty key", "SecretIncomplete", chain, ""),
                bad("nothing at all", "SecretIncomplete", "", ""),
                bad("RSA of 1024 bits", "KeyTooWeak", weak.chain(), weak.key()),
                bad(
                        "a certificate without names",
                        "CertificateWithoutNames",
                        nameless.chain(),
                        nameless.key()),
                bad(
                        "a certificate of the future",
                        "CertificateNotYetValid",
                        future.chain(),
                        future.key()),
                bad("2 MiB", "SecretTooLarge", chain + "#".repeat(2 * 1024 * 1024), key),
                new BadSecret(
                        "no tls.key",
                        "SecretIncomplete",
                        header() + "data:\n  tls.crt: " + base64(chain) + "\n"),
                new BadSecret(
                        "only ca.crt",
                        "SecretIncomplete",
                        header() + "data:\n  ca.crt: " + base64(chain) + "\n"),
                new BadSecret("no data", "SecretIncomplete", header()),
                new BadSecret(
                        "no base64", "", header() + "data:\n  tls.crt: '%%%'\n  tls.key: '%%%'\n"));
    }

    private static String header() {
        return """
        apiVersion: v1
        kind: Secret
        metadata:
          name: NAME
          namespace: default
        type: kubernetes.io/tls
        """;
    }

    private static BadSecret bad(String label, String reason, String certificate, String key) {
        return new BadSecret(label, reason, Manifests.secret("NAME", certificate, key));
    }

    private static String encrypted(String key) {
        return Ran.run(
                        key,
                        Duration.ofSeconds(20),
                        List.of("openssl", "pkcs8", "-topk8", "-passout", "pass:secret"))
                .out();
    }

    @ParameterizedTest
    @MethodSource("badSecrets")
    void aSecretThatTurnsBadKeepsTheLastGoodCertificate(BadSecret bad) throws IOException {
        Leaf good = goodSite("bad");

        folder.put("bad.yaml", "# a comment\n", bad.document().replace("NAME", "bad"));

        assertThat(gateway.awaitFinding(bad.reason(), "bad.yaml"))
                .as("with its line")
                .containsPattern("bad\\.yaml(:|\",\"line\":)[1-9]");
        assertThat(Handshakes.serial(gateway.https(), "bad.test")).isEqualTo(good.serial());

        goodSite("bad");
        gateway.awaitNoFinding("bad.yaml");
    }

    @Test
    void aDeletedSecretKeepsTheLastGoodCertificateWithAFinding() throws IOException {
        Leaf good = goodSite("lost");

        folder.delete("lost.yaml");

        gateway.awaitFinding("SecretDeleted", "lost");
        assertThat(Handshakes.serial(gateway.https(), "lost.test")).isEqualTo(good.serial());
    }

    @Test
    void aSecretThatWasNeverGoodLeavesRouteAndRedirectInPlace() throws IOException {
        folder.put(
                "never.yaml",
                Manifests.secret("never", "garbage", "garbage"),
                ingress("never")
                        .tls("never", "never.test")
                        .tls("never-there", "never-there.test")
                        .host("never.test", "one")
                        .host("never-there.test", "one")
                        .yaml());

        gateway.awaitStatus("never.test", "/", 308);
        gateway.awaitStatus("never-there.test", "/", 308);
        gateway.awaitFinding("CertificateUnreadable", "never.yaml");
        gateway.awaitFinding("SecretMissing", "never-there");
        assertThat(RawClient.tls(gateway.https(), "never.test").get("never.test", "/").status())
                .isEqualTo(200);
    }

    @Test
    void anExpiredCertificateIsServedAndReported() {
        Leaf expired =
                pki.issue(
                        wanted -> wanted.valid("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
                        "expired.test");

        folder.put("expired.yaml", site("expired", expired));

        gateway.awaitServed("expired.test", expired);
        gateway.awaitFinding("CertificateExpired", "expired.yaml");
    }

    @Test
    void aCertificateForAnotherHostIsServedAndReported() {
        Leaf other = pki.ecdsa("somebody-else.test");

        folder.put("mismatched.yaml", site("mismatched", other));

        gateway.awaitServed("mismatched.test", other);
        gateway.awaitFinding("CertificateHostMismatch", "mismatched");
    }

    @Test
    void aSecretThatComesLaterIsServed() {
        folder.put("later-route.yaml", route("later"));
        gateway.awaitFinding("SecretMissing", "later");
        Leaf leaf = pki.ecdsa("later.test");

        folder.put("later.yaml", Manifests.secret("later", leaf));

        gateway.awaitServed("later.test", leaf);
        gateway.awaitNoFinding("\"later\"");
    }
}
