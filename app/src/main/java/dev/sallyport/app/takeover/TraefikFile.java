package dev.sallyport.app.takeover;

import dev.sallyport.model.finding.Finding;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Reads Traefik's {@code acme.json}, as versions 2 and 3 write it: an object for each resolver. */
final class TraefikFile {
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private final List<Foreign.Certificate> certificates = new ArrayList<>();
    private final List<Foreign.Account> accounts = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();

    private TraefikFile() {}

    /** Reads a file's contents; empty where they are no JSON object with resolvers. */
    static Optional<Foreign> read(byte[] contents) {
        Optional<JsonNode> root = ForeignJson.read(contents);
        boolean resolvers =
                root.filter(node ->
                                node.properties().stream()
                                        .anyMatch(it -> isResolver(it.getValue())))
                        .isPresent();
        if (!resolvers) {
            return Optional.empty();
        }
        var file = new TraefikFile();
        root.get().properties().forEach(it -> file.resolver(it.getKey(), it.getValue()));
        return Optional.of(new Foreign(file.certificates, file.accounts, file.findings));
    }

    private static boolean isResolver(JsonNode node) {
        return node.isObject() && (node.has("Account") || node.has("Certificates"));
    }

    private void resolver(String name, JsonNode resolver) {
        JsonNode account = resolver.path("Account");
        Optional<URI> location = ForeignJson.url(account.path("Registration"), "uri");
        Optional<URI> directory = location.flatMap(ForeignJson::directoryOf);
        if (account.isObject()) {
            account(name + "/Account", account, location, directory);
        }
        int number = 0;
        for (JsonNode certificate : resolver.path("Certificates")) {
            String host = ForeignJson.text(certificate.path("domain"), "main").orElse("");
            certificate(
                    name + "/" + (host.isEmpty() ? "Certificates[" + number + "]" : host),
                    certificate,
                    directory);
            number++;
        }
    }

    private void account(
            String entry, JsonNode account, Optional<URI> location, Optional<URI> directory) {
        Optional<byte[]> der = base64(account, "PrivateKey");
        if (der.isEmpty() || location.isEmpty()) {
            findings.add(
                    ForeignJson.unreadable(
                            entry, "lacks PrivateKey or Registration.uri (expected: both)"));
            return;
        }
        accounts.add(new Foreign.Account(entry, pkcs1(der.get()), directory, location.get()));
    }

    private void certificate(String entry, JsonNode certificate, Optional<URI> directory) {
        Optional<byte[]> chain = base64(certificate, "certificate");
        Optional<byte[]> key = base64(certificate, "key");
        if (chain.isEmpty() || key.isEmpty()) {
            findings.add(
                    ForeignJson.unreadable(
                            entry, "certificate or key is no base64 (expected: both)"));
            return;
        }
        certificates.add(
                new Foreign.Certificate(
                        entry, chain.get(), key.get(), directory, Optional.empty()));
    }

    /** The account's key is DER of PKCS#1, whatever the certificates' kind. */
    private static byte[] pkcs1(byte[] der) {
        byte[] lines = LINES.encode(der);
        Arrays.fill(der, (byte) 0);
        byte[] begin = "-----BEGIN RSA PRIVATE KEY-----\n".getBytes(StandardCharsets.US_ASCII);
        byte[] end = "\n-----END RSA PRIVATE KEY-----\n".getBytes(StandardCharsets.US_ASCII);
        byte[] pem = Arrays.copyOf(begin, begin.length + lines.length + end.length);
        System.arraycopy(lines, 0, pem, begin.length, lines.length);
        System.arraycopy(end, 0, pem, begin.length + lines.length, end.length);
        Arrays.fill(lines, (byte) 0);
        return pem;
    }

    private static Optional<byte[]> base64(JsonNode node, String field) {
        return ForeignJson.text(node, field)
                .flatMap(text -> {
                    try {
                        return Optional.of(Base64.getDecoder().decode(text));
                    } catch (IllegalArgumentException malformed) {
                        return Optional.empty();
                    }
                });
    }
}
