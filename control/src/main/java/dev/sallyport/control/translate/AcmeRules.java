package dev.sallyport.control.translate;

import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * For which hosts the gateway has certificates issued by itself.
 *
 * @param issuers names of the configured issuers, the one to be asked first in front; at least one
 * @param everyHost whether all hosts are meant that nothing speaks against; else those of Ingresses
 *     with the annotation, or in namespaces with the label, {@link #KEY}
 * @param allowed which namespace may have certificates ordered for which names
 * @param wildcards whether wildcard hosts can be proven (DNS-01)
 * @param namespace of the Secrets that issued certificates are in
 * @param addresses the gateway's own, if there is to be a certificate for them
 */
public record AcmeRules(
        List<String> issuers,
        boolean everyHost,
        AllowList allowed,
        boolean wildcards,
        String namespace,
        Optional<AcmeAddresses> addresses) {
    /**
     * Annotation of an Ingress and label of a Namespace: {@code true}, {@code false}, or the name
     * of an issuer.
     */
    public static final String KEY = "sallyport.dev/acme";

    /** A namespace that no object of a folder can be in. */
    public static final String FOLDER_NAMESPACE = "acme.sallyport.dev";

    private static final String PREFIX = "sallyport-acme-";
    private static final int LONGEST = 180;
    private static final Pattern ENDS = Pattern.compile("[.-]+$");

    public AcmeRules {
        issuers = List.copyOf(issuers);
    }

    /** The Secret that an issued certificate is in: one for each id. */
    public ObjectRef secret(CertificateId id) {
        return secret(namespace, id);
    }

    /** The same, in a namespace. */
    public static ObjectRef secret(String namespace, CertificateId id) {
        // For people; what is lost of the id here is told apart by the digest.
        String text = id.text().replace("..", ".").replace('_', 'x');
        String start = text.length() <= LONGEST ? text : text.substring(0, LONGEST);
        UUID digest = UUID.nameUUIDFromBytes(id.text().getBytes(StandardCharsets.US_ASCII));
        String hex = Long.toHexString(digest.getMostSignificantBits());
        String name = PREFIX + ENDS.matcher(start).replaceFirst("") + "-" + hex;
        return new ObjectRef("Secret", namespace, name);
    }

    /** The Secret of the default certificate, where that is issued, too. */
    public Optional<ObjectRef> defaultCertificate() {
        return addresses.map(_ -> secret(CertificateId.ADDRESSES));
    }

    /** Whether a namespace may have certificates for a host. */
    public boolean allows(String ofTenant, Hostname host) {
        return allowed.allows(ofTenant, new Identifier.Dns(host));
    }

    /** Whether a Secret is one that an issued certificate is in. */
    boolean isOurs(ObjectRef secret) {
        return secret.namespace().equals(namespace) && secret.name().startsWith(PREFIX);
    }
}
