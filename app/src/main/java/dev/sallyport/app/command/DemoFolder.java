package dev.sallyport.app.command;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The demonstration's temporary folder: an authority, manifests for two hosts, and a second
 * certificate for one of them.
 */
final class DemoFolder {
    static final String SHOP = "shop.example";
    static final String BLOG = "blog.example";

    private static final Duration VALIDITY = Duration.ofDays(90);

    private static final String SECRET =
            """
            apiVersion: v1
            kind: Secret
            type: kubernetes.io/tls
            metadata:
              name: NAME-tls
            data:
              tls.crt: CERTIFICATE
              tls.key: PRIVATE
            """;

    private static final String APPLICATION =
            """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata:
              name: NAME
            spec:
              tls:
                - hosts: [HOST]
                  secretName: NAME-tls
              rules:
                - host: HOST
                  http:
                    paths:
                      - path: /
                        pathType: Prefix
                        backend:
                          service:
                            name: NAME
                            port:
                              number: 80
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: NAME
            spec:
              ports:
                - port: 80
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: NAME-1
              labels:
                kubernetes.io/service-name: NAME
            addressType: IPv4
            ports:
              - port: PORT
            endpoints:
              - addresses: [127.0.0.1]
            """;

    /** What an Ingress says of a Secret; one without has its hosts' certificates issued. */
    private static final String SECTION =
            """
              tls:
                - hosts: [HOST]
                  secretName: NAME-tls
            """;

    private final String purpose;
    private @Nullable Made made; // guarded by this
    private boolean deleted; // guarded by this

    /** Where it is, and who issues its certificates. */
    private record Made(Path root, DemoAuthority issuer) {}

    /**
     * Nothing is there yet.
     *
     * @param purpose a word for names
     */
    DemoFolder(String purpose) {
        this.purpose = purpose;
    }

    /**
     * Makes the demonstration's.
     *
     * @param shopPort where the shop's backend listens on 127.0.0.1
     * @param blogPort where the blog's backend listens on 127.0.0.1
     * @throws IOException where that is impossible, or {@link #delete} came first
     */
    synchronized void fill(int shopPort, int blogPort, InstantSource time) throws IOException {
        make(time);
        serve("shop", SHOP, shopPort);
        serve("blog", BLOG, blogPort);
        Files.createDirectory(root().resolve("next"));
        write(nextShopSecret(), secret("shop", SHOP));
    }

    /**
     * Makes one whose hosts have no certificates; {@link #make} came before.
     *
     * @param shopPort where the shop's backend listens on 127.0.0.1
     * @param blogPort where the blog's backend listens on 127.0.0.1
     */
    synchronized void fillWithoutCertificates(int shopPort, int blogPort) throws IOException {
        write(
                application("shop"),
                application("shop", SHOP, shopPort).replace(section("shop", SHOP), ""));
        write(
                application("blog"),
                application("blog", BLOG, blogPort).replace(section("blog", BLOG), ""));
    }

    private static String section(String name, String host) {
        return SECTION.replace("NAME", name).replace("HOST", host);
    }

    /** The manifests of an application. */
    Path application(String name) {
        return resources().resolve(name + ".yaml");
    }

    /** Writes {@code NAME.crt} and {@code NAME.key} of the authority for a host. */
    synchronized void issueTo(Path directory, String name, String host) throws IOException {
        DemoAuthority.Issued issued =
                made().issuer().issue(List.of(Hostname.parse(host)), VALIDITY, KeyType.ECDSA);
        write(directory.resolve(name + ".crt"), issued.tlsCrt());
        write(directory.resolve(name + ".key"), issued.tlsKey());
    }

    /** What belongs to an ACME CA. */
    Path acme() {
        return root().resolve("acme");
    }

    /** Who signs what that issues. */
    Path acmeRoot() {
        return root().resolve("acme-root.pem");
    }

    /** What the gateway keeps of it. */
    Path state() {
        return root().resolve("state");
    }

    /**
     * Makes one that serves nothing yet.
     *
     * @throws IOException where that is impossible, or {@link #delete} came first
     */
    synchronized void make(InstantSource time) throws IOException {
        if (deleted) {
            throw new IOException("told to stop");
        }
        DemoAuthority issuer = DemoAuthority.create("Sallyport " + purpose + " CA", time);
        made = new Made(Files.createTempDirectory("sallyport-" + purpose + "-"), issuer);
        write(authority(), issuer.certificate());
        Files.createDirectory(resources());
    }

    /** Adds the manifests of a host, and a Secret {@code NAME-tls} in a file of its own. */
    synchronized void serve(String name, String host, int backendPort) throws IOException {
        write(resources().resolve(name + ".yaml"), application(name, host, backendPort));
        reissue(name, host);
    }

    /** Puts a new certificate in the place of a host's. */
    synchronized void reissue(String name, String host) throws IOException {
        Path next = root().resolve(name + "-next");
        write(next, secret(name, host));
        Files.move(
                next,
                resources().resolve(name + "-tls.yaml"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** Everything is below it. */
    Path root() {
        return made().root();
    }

    private synchronized Made made() {
        if (made == null) {
            throw new IllegalStateException("not made yet");
        }
        return made;
    }

    /** The folder to serve. */
    Path resources() {
        return root().resolve("resources");
    }

    /** The authority's certificate. */
    Path authority() {
        return root().resolve("ca.pem");
    }

    /** The shop's Secret as it is served first. */
    Path shopSecret() {
        return resources().resolve("shop-tls.yaml");
    }

    /** The shop's Secret with another certificate, to copy over the first. */
    Path nextShopSecret() {
        return root().resolve("next").resolve("shop-tls.yaml");
    }

    /** Removes it with all that is in it, as far as it was made; it cannot be made any more. */
    synchronized void delete() {
        deleted = true;
        if (made == null) {
            return;
        }
        Path root = made.root();
        try {
            Files.walkFileTree(
                    root,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                                throws IOException {
                            Files.delete(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(
                                Path dir, java.io.IOException failure) throws IOException {
                            Files.delete(dir);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException left) {
            org.slf4j.LoggerFactory.getLogger(DemoFolder.class)
                    .atWarn()
                    .addKeyValue("folder", root)
                    .setCause(left)
                    .log("the temporary folder could not be removed");
        }
    }

    private static String application(String name, String host, int port) {
        return APPLICATION
                .replace("NAME", name)
                .replace("HOST", host)
                .replace("PORT", Integer.toString(port));
    }

    private String secret(String name, String host) {
        DemoAuthority.Issued issued =
                made().issuer().issue(List.of(new Hostname.Exact(host)), VALIDITY, KeyType.ECDSA);
        return SECRET.replace("NAME", name)
                .replace("CERTIFICATE", base64(issued.tlsCrt()))
                .replace("PRIVATE", base64(issued.tlsKey()));
    }

    private static String base64(String pem) {
        return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.UTF_8));
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text);
    }
}
