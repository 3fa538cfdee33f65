package dev.sallyport.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.tls.certificate.DemoAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/**
 * A folder of manifests: a Secret and an Ingress for each host; all forward to the Service {@code
 * backend}, whose file the harness writes. A thousand files a folder at most. The objects of the
 * first {@link #SINGLE} hosts have a file each, so that they can be changed one by one.
 */
final class Folder {
    /** So many hosts have files of their own, however many there are. */
    static final int SINGLE = 10_000;

    private static final int FILES_PER_FOLDER = 1_000;
    private static final Duration VALIDITY = Duration.ofDays(60);

    private final Path folder;
    private final Path staging;
    private final DemoAuthority authority;

    /**
     * @param folder what the gateway serves
     * @param staging on the same file system, outside of {@code folder}: files are moved from here
     */
    Folder(Path folder, Path staging, InstantSource clock) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.staging = Files.createDirectories(staging);
        this.authority = DemoAuthority.create("Bench CA", clock);
    }

    /** A manifest that is written but not yet in the folder. */
    record Staged(Path from, Path to) {
        /** Puts it in place as one step. */
        void move() throws IOException {
            Files.move(
                    from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** The name of host {@code i}. */
    static String host(int i) {
        return String.format(Locale.ROOT, "host-%06d.example.test", i);
    }

    /** A new leaf for host {@code i}. */
    DemoAuthority.Issued issue(int i) {
        return authority.issue(List.of(new Hostname.Exact(host(i))), VALIDITY, KeyType.ECDSA);
    }

    /** Host {@code i}'s Secret with {@code issued} in it. */
    Staged secret(int i, DemoAuthority.Issued issued) throws IOException {
        return stage("secrets", i, secretText(i, issued));
    }

    /** Host {@code i}'s Ingress, which forwards exactly {@code path}. */
    Staged ingress(int i, String path) throws IOException {
        return stage("ingresses", i, ingressText(i, path));
    }

    /**
     * The Secrets and Ingresses of the hosts from {@code from} to below {@code to}, as one file.
     */
    Staged many(int from, int to) throws IOException {
        var text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append("---\n")
                    .append(secretText(i, issue(i)))
                    .append("---\n")
                    .append(ingressText(i, "/1k"));
        }
        return stage("many", from, text.toString());
    }

    private String secretText(int i, DemoAuthority.Issued issued) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: v1
                kind: Secret
                metadata:
                  name: host-%06d
                  namespace: default
                type: kubernetes.io/tls
                data:
                  tls.crt: %s
                  tls.key: %s
                """,
                i,
                base64(issued.tlsCrt()),
                base64(issued.tlsKey()));
    }

    private static String ingressText(int i, String path) {
        return String.format(
                Locale.ROOT,
                """
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata:
                  name: host-%06d
                  namespace: default
                spec:
                  tls:
                    - hosts: [%s]
                      secretName: host-%06d
                  rules:
                    - host: %s
                      http:
                        paths:
                          - path: %s
                            pathType: Exact
                            backend:
                              service:
                                name: backend
                                port:
                                  number: 80
                """,
                i,
                host(i),
                i,
                host(i),
                path);
    }

    private Staged stage(String kind, int i, String text) throws IOException {
        Path parent =
                Files.createDirectories(
                        folder.resolve(kind)
                                .resolve(String.format(Locale.ROOT, "%03d", i / FILES_PER_FOLDER)));
        String name = String.format(Locale.ROOT, "host-%06d.yaml", i);
        return new Staged(
                Files.writeString(staging.resolve(kind + "-" + name), text, UTF_8),
                parent.resolve(name));
    }

    /** A PEM as a Secret has it. */
    static String base64(String pem) {
        return Base64.getEncoder().encodeToString(pem.getBytes(US_ASCII));
    }
}
