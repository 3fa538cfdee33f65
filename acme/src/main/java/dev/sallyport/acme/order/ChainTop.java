package dev.sallyport.acme.order;

import java.security.cert.X509Certificate;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;

/** Which root a chain leads to. */
final class ChainTop {
    private ChainTop() {}

    /** Whether the issuer of a chain's last certificate has this common name. */
    static boolean is(List<X509Certificate> chain, String commonName) {
        if (chain.isEmpty()) {
            return false;
        }
        try {
            return new LdapName(chain.getLast().getIssuerX500Principal().getName())
                    .getRdns().stream()
                            .anyMatch(rdn ->
                                    rdn.getType().equalsIgnoreCase("CN")
                                            && rdn.getValue().equals(commonName));
        } catch (InvalidNameException malformed) {
            return false;
        }
    }
}
