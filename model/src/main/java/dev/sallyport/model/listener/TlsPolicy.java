package dev.sallyport.model.listener;

import java.util.List;

/**
 * Everything about TLS that is not the certificate: a value that keys a native context. Sessions
 * resume only within one policy, because resuming skips what the policy asks for.
 *
 * @param profile versions and cipher suites
 * @param groups key exchange groups in order of preference, by TLS name
 * @param applicationProtocols ALPN in order of preference
 * @param clientAuthentication whether clients present certificates
 */
public record TlsPolicy(
        TlsProfile profile,
        List<String> groups,
        List<String> applicationProtocols,
        ClientAuthentication clientAuthentication) {

    /** Post-quantum hybrid first, then what all clients know. */
    public static final List<String> DEFAULT_GROUPS =
            List.of("X25519MLKEM768", "X25519", "P-256", "P-384");

    /** Intermediate profile, h2 and http/1.1, no client certificates. */
    public static final TlsPolicy DEFAULT =
            new TlsPolicy(
                    TlsProfile.INTERMEDIATE,
                    DEFAULT_GROUPS,
                    List.of("h2", "http/1.1"),
                    new ClientAuthentication.None());

    public TlsPolicy {
        groups = List.copyOf(groups);
        applicationProtocols = List.copyOf(applicationProtocols);
    }
}
