package dev.sallyport.control.cluster;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** How the API server is reached, and as whom. */
public sealed interface ClusterAccess {
    /** Where a pod finds its service account. */
    Path SERVICE_ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

    /** The namespace that the environment says the gateway runs in. */
    Optional<String> podNamespace();

    /**
     * As the current context of a kubeconfig says.
     *
     * @param file the kubeconfig
     */
    record Kubeconfig(Path file, Optional<String> podNamespace) implements ClusterAccess {
        @Override
        public String toString() {
            return "kubeconfig " + file;
        }
    }

    /**
     * As the service account of a pod, at the API server of the pod's cluster.
     *
     * @param host a name or an IP address without brackets
     * @param port its port
     * @param folder with {@code token}, {@code ca.crt} and {@code namespace}; read again when they
     *     change
     */
    record ServiceAccount(String host, int port, Path folder, Optional<String> podNamespace)
            implements ClusterAccess {
        @Override
        public String toString() {
            return "service account at " + url();
        }

        String url() {
            return "https://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /**
     * The kubeconfig where one is given, else the pod's own; empty where this is no pod of a
     * cluster.
     *
     * @param environment the process's
     */
    static Optional<ClusterAccess> of(Optional<Path> kubeconfig, Map<String, String> environment) {
        return of(kubeconfig, environment, SERVICE_ACCOUNT);
    }

    /** The same with the service account in {@code folder}. */
    static Optional<ClusterAccess> of(
            Optional<Path> kubeconfig, Map<String, String> environment, Path folder) {
        Optional<String> namespace =
                Optional.ofNullable(environment.get("POD_NAMESPACE"))
                        .filter(name -> !name.isBlank());
        if (kubeconfig.isPresent()) {
            return Optional.of(new Kubeconfig(kubeconfig.get(), namespace));
        }
        String host = environment.get("KUBERNETES_SERVICE_HOST");
        String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443");
        if (host == null
                || host.isBlank()
                || !port.matches("[0-9]{1,5}")
                || !Files.isReadable(folder.resolve("token"))) {
            return Optional.empty();
        }
        return Optional.of(new ServiceAccount(host, Integer.parseInt(port), folder, namespace));
    }
}
