package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Judges what a CA issued before anybody is served with it: it must be for our key, name exactly
 * what was ordered, be valid now, be meant for servers, and pass the same parser as any Secret.
 */
final class IssuedChain {
    /** By how much the CA's clock may be ahead of ours. */
    private static final Duration SKEW = Duration.ofMinutes(5);

    private static final String SERVER = "1.3.6.1.5.5.7.3.1";
    private static final String ANY_PURPOSE = "2.5.29.37.0";
    private static final ObjectRef ISSUED = ObjectRef.gateway("issued certificate");

    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;
    private static final Map<Integer, String> KINDS =
            Map.of(0, "otherName", 1, "mail address", 4, "directory name", 6, "URI", 8, "OID");

    private IssuedChain() {}

    /** It is not what was ordered; the message is for people. */
    static final class Wrong extends Exception {
        private static final long serialVersionUID = 1;

        Wrong(String message) {
            super(message);
        }
    }

    /**
     * Proves a chain.
     *
     * @param chain leaf first
     * @param roots whom clients may know: only below one of these a leaf may come alone
     */
    static CertificateBundle prove(
            List<X509Certificate> chain,
            CertificateOrder order,
            KeyMaterial key,
            Instant now,
            Supplier<? extends Collection<X509Certificate>> roots)
            throws Wrong {
        if (chain.isEmpty()) {
            throw new Wrong("the CA sent no certificate");
        }
        X509Certificate leaf = chain.getFirst();
        if (!Arrays.equals(leaf.getPublicKey().getEncoded(), key.spki())) {
            throw new Wrong("the certificate is for another key than ours");
        }
        requireNames(leaf, order);
        for (X509Certificate each : chain) {
            requireValidity(each, now);
        }
        requirePurpose(leaf);
        return switch (parsed(chain, key)) {
            case Parsed.Usable<CertificateBundle>(
                            CertificateBundle bundle,
                            List<Finding> remarks) -> {
                if (!remarks.isEmpty()) {
                    throw new Wrong(remarks.getFirst().message());
                }
                // Without the root, which is never sent to clients.
                if (bundle.chain().size() == 1) {
                    requireRoot(leaf, roots.get());
                }
                yield bundle;
            }
            case Parsed.Rejected<CertificateBundle>(List<Finding> findings) ->
                    throw new Wrong(findings.getFirst().message());
        };
    }

    private static void requireNames(X509Certificate leaf, CertificateOrder order) throws Wrong {
        requireKnownKinds(leaf);
        Set<Identifier> named = CurrentCertificate.identifiersOf(leaf);
        if (!named.equals(Set.copyOf(order.identifiers()))) {
            throw new Wrong(
                    "the certificate names "
                            + named.stream()
                                    .map(Identifier::text)
                                    .sorted()
                                    .collect(Collectors.joining(", "))
                            + " (expected: "
                            + order.identifierText().replace(",", ", ")
                            + ")");
        }
    }

    /** A mail address or a URL is a name, too, and one that cannot be read might be anybody's. */
    private static void requireKnownKinds(X509Certificate leaf) throws Wrong {
        Collection<List<?>> names;
        try {
            names = leaf.getSubjectAlternativeNames();
        } catch (CertificateParsingException malformed) {
            throw new Wrong("the certificate's names cannot be read");
        }
        for (List<?> name : names == null ? List.<List<?>>of() : names) {
            int kind = (Integer) name.getFirst();
            if (kind != DNS_NAME && kind != IP_ADDRESS) {
                throw new Wrong(
                        "the certificate has a name of another kind ("
                                + KINDS.getOrDefault(kind, String.valueOf(kind))
                                + "; expected: DNS names and addresses)");
            }
            if (CurrentCertificate.identifier(name).isEmpty()) {
                throw new Wrong("the certificate names what is no DNS name: " + name.get(1));
            }
        }
    }

    /** Who gets a leaf only can verify it only where it knows its issuer: a root. */
    private static void requireRoot(X509Certificate leaf, Collection<X509Certificate> roots)
            throws Wrong {
        for (X509Certificate root : roots) {
            if (root.getSubjectX500Principal().equals(leaf.getIssuerX500Principal())) {
                try {
                    leaf.verify(root.getPublicKey());
                    return;
                } catch (GeneralSecurityException byAnother) {
                    // Of the same name.
                }
            }
        }
        throw new Wrong(
                "the CA sent no intermediate certificate, and no root that is known here issued"
                        + " the certificate itself: clients could not verify it (where a private"
                        + " CA's root does, name it as the issuer's trusted CA)");
    }

    private static void requireValidity(X509Certificate one, Instant now) throws Wrong {
        Instant from = one.getNotBefore().toInstant();
        Instant until = one.getNotAfter().toInstant();
        if (from.isAfter(now.plus(SKEW)) || !until.isAfter(now)) {
            throw new Wrong(
                    "the certificate is valid from "
                            + from
                            + " to "
                            + until
                            + ", not at "
                            + now
                            + " (our clock or the CA's may be wrong)");
        }
    }

    private static void requirePurpose(X509Certificate leaf) throws Wrong {
        if (leaf.getBasicConstraints() >= 0) {
            throw new Wrong("the certificate is a CA's, not a server's");
        }
        try {
            List<String> purposes = leaf.getExtendedKeyUsage();
            if (purposes != null && !purposes.contains(SERVER) && !purposes.contains(ANY_PURPOSE)) {
                throw new Wrong("the certificate is not meant for servers");
            }
        } catch (CertificateParsingException malformed) {
            throw new Wrong("the certificate's purposes cannot be read");
        }
    }

    private static Parsed<CertificateBundle> parsed(List<X509Certificate> chain, KeyMaterial key)
            throws Wrong {
        var pem = new StringBuilder();
        try {
            for (X509Certificate each : chain) {
                pem.append("-----BEGIN CERTIFICATE-----\n")
                        .append(
                                Base64.getMimeEncoder(64, new byte[] {'\n'})
                                        .encodeToString(each.getEncoded()))
                        .append("\n-----END CERTIFICATE-----\n");
            }
        } catch (CertificateEncodingException unreadable) {
            throw new Wrong("a certificate cannot be encoded");
        }
        byte[] written = pem.toString().getBytes(StandardCharsets.US_ASCII);
        return key.pkcs8()
                .use(pkcs8 -> {
                    byte[] keyPem = keyPem(pkcs8);
                    try {
                        return CertificateParser.parse(ISSUED, written, keyPem);
                    } finally {
                        Arrays.fill(keyPem, (byte) 0);
                    }
                });
    }

    private static byte[] keyPem(byte[] pkcs8) {
        byte[] digits = Base64.getMimeEncoder(64, new byte[] {'\n'}).encode(pkcs8);
        byte[] head = "-----BEGIN PRIVATE KEY-----\n".getBytes(StandardCharsets.US_ASCII);
        byte[] tail = "\n-----END PRIVATE KEY-----\n".getBytes(StandardCharsets.US_ASCII);
        byte[] pem = Arrays.copyOf(head, head.length + digits.length + tail.length);
        System.arraycopy(digits, 0, pem, head.length, digits.length);
        System.arraycopy(tail, 0, pem, head.length + digits.length, tail.length);
        Arrays.fill(digits, (byte) 0);
        return pem;
    }
}
