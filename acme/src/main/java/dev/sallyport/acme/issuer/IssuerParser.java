package dev.sallyport.acme.issuer;

import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** From what somebody wrote to an issuer. Used once. */
final class IssuerParser {
    private static final int MOST_CA_BYTES = 256 * 1024;
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern MAIL = Pattern.compile("[^\\s@,?<>\"]{1,64}@[^\\s@,?<>\"]{1,253}");
    private static final Pattern PROFILE = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final ObjectRef origin;
    private final List<Finding> findings = new ArrayList<>();

    IssuerParser(ObjectRef origin) {
        this.origin = origin;
    }

    Parsed<Issuer> parse(IssuerDraft draft) {
        if (!NAME.matcher(draft.name()).matches()) {
            wrong(
                    "issuer: "
                            + draft.name()
                            + " (expected: 1–63 lower-case letters, digits and '-')",
                    "Name the issuer like a Kubernetes object.");
        }
        @Nullable URI directory = directory(draft.directory());
        if (!draft.termsAgreed()) {
            wrong(
                    "issuer " + draft.name() + ": the CA's terms are not agreed to",
                    "Read the terms that the directory names, and agree to them in the"
                            + " configuration.");
        }
        draft.contacts().stream()
                .filter(mail -> !MAIL.matcher(mail).matches())
                .forEach(mail ->
                        wrong(
                                "contact: " + mail + " (expected: a mail address)",
                                "Write it as admin@shop.example, without mailto:."));
        Optional<ExternalAccount> external = external(draft, directory);
        draft.profile()
                .filter(profile -> !PROFILE.matcher(profile).matches())
                .ifPresent(profile ->
                        wrong(
                                "profile: "
                                        + profile
                                        + " (expected: a word, as classic or shortlived)",
                                "Take one of the names in the directory's meta.profiles."));
        KeyAlgorithm key = key(draft.key());
        List<X509Certificate> trusted = draft.trustedCa().map(this::certificates).orElse(List.of());
        Set<Origin> origins = origins(draft.origins());
        return findings.isEmpty()
                ? Parsed.usable(
                        new Issuer(
                                draft.name(),
                                Objects.requireNonNull(directory),
                                draft.contacts(),
                                external,
                                draft.profile(),
                                draft.preferredChain(),
                                key,
                                trusted,
                                draft.privateAddresses(),
                                origins))
                : new Parsed.Rejected<>(findings);
    }

    private @Nullable URI directory(String written) {
        Optional<KnownDirectory> known = KnownDirectory.ofWord(written);
        if (known.isPresent()) {
            return known.get().url();
        }
        try {
            URI url = new URI(written);
            if (Origin.of(url).isPresent() && url.getRawFragment() == null) {
                return url;
            }
        } catch (URISyntaxException notAUrl) {
            // said below
        }
        wrong(
                "directory: " + written + " (expected: an https:// URL, or one of " + words() + ")",
                "ACME is spoken over HTTPS only; for a CA of your own give its CA file besides.");
        return null;
    }

    private static String words() {
        return Arrays.stream(KnownDirectory.values())
                .map(KnownDirectory::word)
                .collect(Collectors.joining(", "));
    }

    private Optional<ExternalAccount> external(IssuerDraft draft, @Nullable URI directory) {
        if (draft.externalKeyId().isEmpty() != draft.externalMac().isEmpty()) {
            wrong(
                    "issuer " + draft.name() + ": an external account needs a key id and a MAC key",
                    "Take both from the CA's customer page.");
            return Optional.empty();
        }
        if (draft.externalKeyId().isEmpty()) {
            if (directory != null
                    && KnownDirectory.ofUrl(directory)
                            .filter(KnownDirectory::needsExternalAccount)
                            .isPresent()) {
                wrong(
                        "issuer " + draft.name() + ": this CA asks for an external account",
                        "Take a key id and a MAC key from the CA's customer page.");
            }
            return Optional.empty();
        }
        String keyId = draft.externalKeyId().get();
        Optional<SensitiveBytes> mac = draft.externalMac().flatMap(IssuerParser::decoded);
        if (keyId.isBlank() || mac.isEmpty()) {
            wrong(
                    "issuer "
                            + draft.name()
                            + ": the external account's key id is empty, or its MAC key is not"
                            + " base64url of 16 bytes or more",
                    "Copy both as the CA printed them.");
            return Optional.empty();
        }
        return mac.map(key -> new ExternalAccount(keyId, key));
    }

    /** CAs print it as base64url; people paste it with padding and line ends. */
    private static Optional<SensitiveBytes> decoded(SensitiveBytes text) {
        return text.use(bytes -> {
            byte[] digits = new byte[bytes.length];
            int count = 0;
            for (byte b : bytes) {
                if (b > ' ' && b != '=') {
                    digits[count++] = b == '+' ? (byte) '-' : b == '/' ? (byte) '_' : b;
                }
            }
            byte[] exact = Arrays.copyOf(digits, count);
            Arrays.fill(digits, (byte) 0);
            try {
                byte[] key = Base64.getUrlDecoder().decode(exact);
                var held = SensitiveBytes.copyOf(key);
                Arrays.fill(key, (byte) 0);
                return held.length() >= 16 ? Optional.of(held) : Optional.empty();
            } catch (IllegalArgumentException notBase64) {
                return Optional.empty();
            } finally {
                Arrays.fill(exact, (byte) 0);
            }
        });
    }

    private KeyAlgorithm key(Optional<String> written) {
        if (written.isEmpty()) {
            return KeyAlgorithm.EC_P256;
        }
        Optional<KeyAlgorithm> key = KeyAlgorithm.parse(written.get());
        if (key.isEmpty()) {
            wrong(
                    "key: "
                            + written.get()
                            + " (expected: "
                            + Arrays.stream(KeyAlgorithm.values())
                                    .map(KeyAlgorithm::text)
                                    .collect(Collectors.joining(", "))
                            + ")",
                    "Leave it out for ec-p256, which every client knows.");
        }
        return key.orElse(KeyAlgorithm.EC_P256);
    }

    private List<X509Certificate> certificates(byte[] pem) {
        List<X509Certificate> found = new ArrayList<>();
        if (pem.length <= MOST_CA_BYTES) {
            try {
                for (Certificate each :
                        CertificateFactory.getInstance("X.509")
                                .generateCertificates(new ByteArrayInputStream(pem))) {
                    found.add((X509Certificate) each);
                }
            } catch (CertificateException garbage) {
                found.clear();
            }
        }
        if (found.isEmpty()) {
            wrong(
                    "trusted CA: no readable certificate in " + pem.length + " bytes",
                    "Give the CA's certificate as PEM: what curl takes as --cacert.");
        }
        return found;
    }

    private Set<Origin> origins(List<String> written) {
        Set<Origin> found = new LinkedHashSet<>();
        for (String text : written) {
            Optional<Origin> parsed = Origin.parse(text);
            parsed.ifPresent(found::add);
            if (parsed.isEmpty()) {
                wrong(
                        "origin: " + text + " (expected: https://host or https://host:port)",
                        "Name only what the directory's URLs point to besides its own host.");
            }
        }
        return found;
    }

    private void wrong(String message, String advice) {
        findings.add(Finding.of(Reason.ISSUER_INVALID, origin, message, advice));
    }
}
