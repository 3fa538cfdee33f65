package dev.sallyport.control.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What is watched.
 *
 * @param namespaces only these; empty means all
 * @param secrets how Secrets are found
 * @param holdBack how long a list that lacks half of all after a gap is not obeyed; for five times
 *     as long endpoints are in doubt that turn not ready then
 * @param ownSecrets a namespace whose TLS Secrets are listed whatever the rest says: what the
 *     gateway has issued is there
 */
public record ClusterSettings(
        List<String> namespaces,
        SecretAccess secrets,
        Duration holdBack,
        Optional<String> ownSecrets) {

    /** All namespaces, Secrets by type, 60 s. */
    public static final ClusterSettings DEFAULT =
            new ClusterSettings(List.of(), SecretAccess.BY_TYPE, Duration.ofSeconds(60));

    public ClusterSettings {
        namespaces = namespaces.stream().distinct().toList();
    }

    /** Without Secrets of its own. */
    public ClusterSettings(List<String> namespaces, SecretAccess secrets, Duration holdBack) {
        this(namespaces, secrets, holdBack, Optional.empty());
    }

    /** With Secrets of its own. */
    public ClusterSettings withSecretsOf(String namespace) {
        return new ClusterSettings(namespaces, secrets, holdBack, Optional.of(namespace));
    }

    /** Whether TLS Secrets of a namespace are listed with all others. */
    boolean listsSecretsOf(String namespace) {
        return secrets == SecretAccess.BY_TYPE
                && (namespaces.isEmpty() || namespaces.contains(namespace));
    }
}
