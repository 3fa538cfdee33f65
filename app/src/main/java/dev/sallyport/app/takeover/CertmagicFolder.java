package dev.sallyport.app.takeover;

import dev.sallyport.acme.issuer.KnownDirectory;
import dev.sallyport.model.finding.Finding;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Reads the folder in which certmagic, and so Caddy, keeps what was issued: {@code
 * certificates/CA/HOST/HOST.crt}, {@code .key} and {@code .json}; {@code acme/CA/users/MAIL/*.key}
 * and {@code .json}.
 */
final class CertmagicFolder {
    private static final int MOST_BYTES = 256 * 1024;

    private final Path root;
    private final List<Foreign.Certificate> certificates = new ArrayList<>();
    private final List<Foreign.Account> accounts = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();

    private CertmagicFolder(Path root) {
        this.root = root;
    }

    /** Whether it looks like one. */
    static boolean isOne(Path root) {
        return Files.isDirectory(root.resolve("certificates"))
                || Files.isDirectory(root.resolve("acme"));
    }

    /**
     * Reads it.
     *
     * @throws IOException where its folders cannot be listed
     */
    static Foreign read(Path root) throws IOException {
        var folder = new CertmagicFolder(root);
        for (Path ca : list(root.resolve("certificates"))) {
            for (Path host : list(ca)) {
                folder.certificate(ca, host);
            }
        }
        for (Path ca : list(root.resolve("acme"))) {
            for (Path user : list(ca.resolve("users"))) {
                for (Path file : list(user)) {
                    if (file.toString().endsWith(".key")) {
                        folder.account(ca, file);
                    }
                }
            }
        }
        return new Foreign(folder.certificates, folder.accounts, folder.findings);
    }

    private void certificate(Path ca, Path host) {
        String name = name(host);
        String entry = root.relativize(host).toString();
        byte @Nullable [] chain = bytes(host.resolve(name + ".crt"));
        byte @Nullable [] key = bytes(host.resolve(name + ".key"));
        if (chain == null || key == null) {
            findings.add(
                    ForeignJson.unreadable(
                            entry, name + ".crt or " + name + ".key cannot be read"));
            return;
        }
        JsonNode issuer = json(host.resolve(name + ".json")).path("issuer_data");
        certificates.add(
                new Foreign.Certificate(
                        entry,
                        chain,
                        key,
                        ForeignJson.url(issuer, "ca").or(() -> directory(ca)),
                        ForeignJson.url(issuer, "url")));
    }

    private void account(Path ca, Path file) {
        String entry = root.relativize(file).toString();
        String json = name(file).substring(0, name(file).length() - ".key".length()) + ".json";
        byte @Nullable [] key = bytes(file);
        Optional<URI> location = ForeignJson.url(json(file.resolveSibling(json)), "location");
        if (key == null || location.isEmpty()) {
            findings.add(
                    ForeignJson.unreadable(
                            entry, "cannot be read, or " + json + " has no location"));
            return;
        }
        accounts.add(new Foreign.Account(entry, key, directory(ca), location.get()));
    }

    /** Of a CA that everybody knows, by the name that its folder has from its directory. */
    private static Optional<URI> directory(Path ca) {
        for (KnownDirectory known : KnownDirectory.values()) {
            String folder =
                    (known.url().getHost() + known.url().getPath())
                            .replace('/', '-')
                            .toLowerCase(Locale.ROOT);
            if (folder.equals(name(ca).toLowerCase(Locale.ROOT))) {
                return Optional.of(known.url());
            }
        }
        return Optional.empty();
    }

    private static JsonNode json(Path file) {
        byte @Nullable [] text = bytes(file);
        return (text == null ? Optional.<JsonNode>empty() : ForeignJson.read(text))
                .orElseGet(ForeignJson::nothing);
    }

    private static byte @Nullable [] bytes(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            return bytes.length <= MOST_BYTES ? bytes : null;
        } catch (IOException unreadable) {
            return null;
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }
}
