package dev.sallyport.control.cluster;

import java.time.Duration;
import java.util.List;

/**
 * What is watched.
 *
 * @param namespaces only these; empty means all
 * @param secrets how Secrets are found
 * @param holdBack how long a list that lacks half of all after a gap is not obeyed
 */
public record ClusterSettings(List<String> namespaces, SecretAccess secrets, Duration holdBack) {

    /** All namespaces, Secrets by type, 60 s. */
    public static final ClusterSettings DEFAULT =
            new ClusterSettings(List.of(), SecretAccess.BY_TYPE, Duration.ofSeconds(60));

    public ClusterSettings {
        namespaces = namespaces.stream().distinct().toList();
    }
}
