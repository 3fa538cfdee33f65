package dev.sallyport.app.wire;

import dev.sallyport.control.cluster.ClusterAccess;
import java.nio.file.Path;

/** Whose Kubernetes objects are served. */
public sealed interface ObjectSource {

    /** Those of a folder of manifests. */
    record Folder(Path path) implements ObjectSource {
        @Override
        public String toString() {
            return "folder " + path;
        }
    }

    /** Those of an API server. */
    record Cluster(ClusterAccess access) implements ObjectSource {
        @Override
        public String toString() {
            return access.toString();
        }
    }
}
