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
 *     with the annotation, or in namespaces with the label, {@link #KEY}, or of classes whose
 *     parameters say so
 * @param allowed which namespace may have certificates ordered for which names
 * @param wildcards whether wildcard hosts can be proven (DNS-01)
 * @param namespace of the Secrets that issued certificates are in
 * @param gateway what these are told apart by from those of other gateways in that namespace
 * @param addresses the gateway's own, if there is to be a certificate for them
 */
public record AcmeRules(
        List<String> issuers,
        boolean everyHost,
        AllowList allowed,
        boolean wildcards,
        String namespace,
        String gateway,
        Optional<AcmeAddresses> addresses) {
    /**
     * Annotation of an Ingress and label of a Namespace: {@code true}, {@code false}, or the name
     * of an issuer.
     */
    public static final String KEY = "sallyport.dev/acme";

    /** A namespace that no object of a folder can be in. */
    public static final String FOLDER_NAMESPACE = "acme.sallyport.dev";

    /** What that of a folder is called. */
    public static final String GATEWAY = "sallyport";

    private static final int LONGEST = 180;
    private static final int LONGEST_GATEWAY = 40; // so that all names have room
    private static final Pattern ENDS = Pattern.compile("[.-]+$");

    public AcmeRules {
        issuers = List.copyOf(issuers);
    }

    /** The Secret that an issued certificate is in: one for each id. */
    public ObjectRef secret(CertificateId id) {
        return secret(namespace, gateway, id);
    }

    /** The same, of a folder's gateway. */
    public static ObjectRef secret(String namespace, CertificateId id) {
        return secret(namespace, GATEWAY, id);
    }

    /** The same, of any gateway in any namespace. */
    public static ObjectRef secret(String namespace, String gateway, CertificateId id) {
        // For people; what is lost of the id here is told apart by the digest.
        String text = id.text().replace("..", ".").replace('_', 'x');
        String start = text.length() <= LONGEST ? text : text.substring(0, LONGEST);
        String name =
                prefix(gateway) + ENDS.matcher(start).replaceFirst("") + "-" + digest(id.text());
        return new ObjectRef("Secret", namespace, name);
    }

    /** What the names of a gateway's Secrets begin with. */
    public static String prefix(String gateway) {
        return called(gateway) + "-acme-";
    }

    /** A gateway's name as a part of others, and as the value of a label. */
    public static String called(String gateway) {
        if (gateway.length() <= LONGEST_GATEWAY) {
            return gateway;
        }
        String digest = digest(gateway);
        String start = gateway.substring(0, LONGEST_GATEWAY - digest.length() - 1);
        return ENDS.matcher(start).replaceFirst("") + "-" + digest;
    }

    private static String digest(String text) {
        UUID digest = UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.US_ASCII));
        return Long.toHexString(digest.getMostSignificantBits());
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
        return secret.namespace().equals(namespace) && secret.name().startsWith(prefix(gateway));
    }
}
