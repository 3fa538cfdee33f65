package dev.sallyport.control.cluster;

/** How Secrets are found, which is a question of what the gateway is allowed to read. */
public enum SecretAccess {
    /**
     * Secrets of type {@code kubernetes.io/tls} are listed and watched; a Secret of another type
     * that something refers to is watched by itself. Needs list and watch of Secrets.
     */
    BY_TYPE,
    /**
     * Each Secret that something refers to is watched by itself, and nothing is listed. Needs get,
     * list and watch of these Secrets by name only.
     */
    BY_NAME
}
