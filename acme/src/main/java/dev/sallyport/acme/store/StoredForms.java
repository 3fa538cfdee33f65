package dev.sallyport.acme.store;

import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.store.FieldText.Malformed;
import dev.sallyport.model.certificate.CertificateBundle;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Accounts, orders and certificates as {@link FieldText}, of version 1, and back. */
final class StoredForms {
    private static final String VERSION = "1";

    private StoredForms() {}

    static FieldText of(StoredAccount account) {
        FieldText text = begin("account");
        text.put("issuer", account.issuer()).put("directory", account.directory().toString());
        account.location().ifPresent(url -> text.put("location", url.toString()));
        putKey(text, "key", account.key());
        account.nextKey().ifPresent(key -> putKey(text, "next-key", key));
        return text;
    }

    static StoredAccount account(FieldText text) throws Malformed {
        require(text, "account");
        return new StoredAccount(
                text.word("issuer"),
                uri(text.word("directory")),
                key(text, "key"),
                text.hasBytes("next-key") ? Optional.of(key(text, "next-key")) : Optional.empty(),
                location(text));
    }

    static FieldText of(StoredOrder order) {
        FieldText text = begin("order");
        text.put("certificate", order.id().text())
                .put("issuer", order.issuer())
                .put("directory", order.directory().toString())
                .put("begun", order.begun().toString())
                .put("key-type", order.order().key().text());
        order.order().identifiers().forEach(it -> text.put("identifier", it.text()));
        order.location().ifPresent(url -> text.put("location", url.toString()));
        putKey(text, "key", order.key());
        return text;
    }

    static StoredOrder order(FieldText text) throws Malformed {
        require(text, "order");
        try {
            List<Identifier> identifiers =
                    text.words("identifier").stream().map(Identifier::parse).toList();
            KeyAlgorithm algorithm =
                    KeyAlgorithm.parse(text.word("key-type"))
                            .orElseThrow(() -> new Malformed("has an unknown key type"));
            return new StoredOrder(
                    new CertificateId(text.word("certificate")),
                    text.word("issuer"),
                    uri(text.word("directory")),
                    CertificateOrder.of(identifiers, algorithm),
                    key(text, "key"),
                    location(text),
                    instant(text.word("begun")));
        } catch (IllegalArgumentException unsound) {
            throw new Malformed("has an unsound field");
        }
    }

    static FieldText of(StoredCertificate certificate) {
        FieldText text = begin("certificate");
        text.put("certificate", certificate.id().text())
                .put("issuer", certificate.issuer())
                .put("directory", certificate.directory().toString())
                .put("issued", certificate.issued().toString());
        certificate.location().ifPresent(url -> text.put("location", url.toString()));
        certificate.profile().ifPresent(profile -> text.put("profile", profile));
        certificate.bundle().chain().forEach(der -> text.put("chain", der));
        certificate.bundle().privateKey().use(pkcs8 -> text.put("key", pkcs8));
        return text;
    }

    static StoredCertificate certificate(FieldText text) throws Malformed {
        require(text, "certificate");
        byte[] pkcs8 = text.bytes("key");
        try {
            return new StoredCertificate(
                    new CertificateId(text.word("certificate")),
                    text.word("issuer"),
                    uri(text.word("directory")),
                    CertificateBundle.of(text.allBytes("chain"), pkcs8),
                    location(text),
                    instant(text.word("issued")),
                    text.optionalWord("profile"));
        } catch (GeneralSecurityException | IllegalArgumentException unsound) {
            throw new Malformed("holds no certificate with its key");
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }

    static FieldText of(StoredMemory memory) {
        return begin("memory").put("text", memory.text().getBytes(StandardCharsets.UTF_8));
    }

    static StoredMemory memory(FieldText text) throws Malformed {
        require(text, "memory");
        try {
            return new StoredMemory(new String(text.bytes("text"), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException tooLong) {
            throw new Malformed("holds more than is ever written");
        }
    }

    private static FieldText begin(String kind) {
        return new FieldText().put("sallyport-acme", VERSION).put("kind", kind);
    }

    private static void require(FieldText text, String kind) throws Malformed {
        String version = text.word("sallyport-acme");
        if (!version.equals(VERSION)) {
            throw new Malformed("is of version " + version + " (expected: " + VERSION + ")");
        }
        if (!text.word("kind").equals(kind)) {
            throw new Malformed("is of another kind (expected: " + kind + ")");
        }
    }

    private static void putKey(FieldText text, String name, KeyMaterial key) {
        key.pkcs8().use(bytes -> text.put(name, bytes));
        text.put(name + "-public", key.spki());
    }

    private static KeyMaterial key(FieldText text, String name) throws Malformed {
        byte[] pkcs8 = text.bytes(name);
        try {
            return KeyMaterial.of(pkcs8, text.bytes(name + "-public"));
        } catch (GeneralSecurityException unsound) {
            throw new Malformed("has no readable " + name);
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }

    private static Optional<URI> location(FieldText text) throws Malformed {
        Optional<String> written = text.optionalWord("location");
        return written.isEmpty() ? Optional.empty() : Optional.of(uri(written.get()));
    }

    private static URI uri(String text) throws Malformed {
        try {
            return URI.create(text);
        } catch (IllegalArgumentException notAUrl) {
            throw new Malformed("has a URL that is none");
        }
    }

    private static Instant instant(String text) throws Malformed {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException notATime) {
            throw new Malformed("has a time that is none");
        }
    }
}
