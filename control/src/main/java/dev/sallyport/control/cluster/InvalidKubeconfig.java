package dev.sallyport.control.cluster;

import org.jspecify.annotations.Nullable;

/** A kubeconfig, or a service account, that no client can be made of. */
public final class InvalidKubeconfig extends Exception {
    private static final long serialVersionUID = 1;

    InvalidKubeconfig(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
