package dev.sallyport.control.acme;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** What was issued, as the Secret that it would be in a cluster: there is one road. */
final class IssuedSecrets {
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private IssuedSecrets() {}

    static ResourceChange put(String namespace, StoredCertificate certificate) {
        ObjectRef ref = AcmeRules.secret(namespace, certificate.id());
        return ResourceChange.put(
                new Resource.OfSecret(
                        SecretMaterial.of(
                                ref, Optional.empty(), chain(certificate), key(certificate)),
                        Origin.API_SERVER));
    }

    /** The data of the Secret. */
    static Map<String, String> data(StoredCertificate certificate) {
        byte[] key = key(certificate);
        try {
            return Map.of(
                    "tls.crt", Base64.getEncoder().encodeToString(chain(certificate)),
                    "tls.key", Base64.getEncoder().encodeToString(key));
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    private static byte[] chain(StoredCertificate certificate) {
        var chain = new ByteArrayOutputStream();
        certificate.bundle().chain().forEach(der -> write(chain, "CERTIFICATE", der));
        return chain.toByteArray();
    }

    private static byte[] key(StoredCertificate certificate) {
        return certificate
                .bundle()
                .privateKey()
                .use(pkcs8 -> {
                    var text = new ByteArrayOutputStream(4096); // never grown
                    write(text, "PRIVATE KEY", pkcs8);
                    return text.toByteArray();
                });
    }

    static ResourceChange remove(String namespace, CertificateId id) {
        return ResourceChange.remove(AcmeRules.secret(namespace, id));
    }

    private static void write(ByteArrayOutputStream out, String label, byte[] der) {
        out.writeBytes(("-----BEGIN " + label + "-----\n").getBytes(StandardCharsets.US_ASCII));
        byte[] base64 = LINES.encode(der);
        out.writeBytes(base64);
        Arrays.fill(base64, (byte) 0);
        out.writeBytes(("\n-----END " + label + "-----\n").getBytes(StandardCharsets.US_ASCII));
    }
}
