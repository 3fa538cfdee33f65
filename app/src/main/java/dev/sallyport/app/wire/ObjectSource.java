package dev.sallyport.app.wire;

import dev.sallyport.control.cluster.ClusterAccess;
import java.nio.file.Path;
import java.util.Optional;

/** Whose Kubernetes objects are served. */
public sealed interface ObjectSource {

    /** Those of a folder of manifests. */
    record Folder(Path path) implements ObjectSource {
        @Override
        public String toString() {
            return "folder " + path;
        }
    }

    /**
     * Those of an API server.
     *
     * @param pod the Pod that this process runs in, if it does
     */
    record Cluster(ClusterAccess access, Optional<String> pod) implements ObjectSource {
        @Override
        public String toString() {
            return access.toString();
        }
    }
}
