package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.KeyMaterial;
import java.io.IOException;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** What a CA is sent to sign: the identifiers as alternative names, no subject. */
final class SigningRequest {
    private SigningRequest() {}

    /** DER. */
    static byte[] of(Collection<Identifier> identifiers, KeyMaterial key) {
        KeyPair pair = key.keyPair();
        List<GeneralName> names = new ArrayList<>();
        for (Identifier identifier : identifiers) {
            names.add(
                    switch (identifier) {
                        case Identifier.Dns dns -> new GeneralName(GeneralName.dNSName, dns.text());
                        case Identifier.Ip ip ->
                                new GeneralName(
                                        GeneralName.iPAddress,
                                        new DEROctetString(ip.address().getAddress()));
                    });
        }
        try {
            var extensions = new ExtensionsGenerator();
            extensions.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(names.toArray(GeneralName[]::new)));
            String algorithm =
                    switch (key.algorithm()) {
                        case EC_P256 -> "SHA256withECDSA";
                        case EC_P384 -> "SHA384withECDSA";
                        case RSA_2048, RSA_3072, RSA_4096 -> "SHA256withRSA";
                    };
            return new JcaPKCS10CertificationRequestBuilder(
                            new X500Name(new RDN[0]), pair.getPublic())
                    .addAttribute(
                            PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate())
                    .build(new JcaContentSignerBuilder(algorithm).build(pair.getPrivate()))
                    .getEncoded();
        } catch (IOException | OperatorCreationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
