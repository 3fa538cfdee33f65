package dev.sallyport.control.translate;

/**
 * A Service and one of its ports, as a backend or the configuration names them.
 *
 * @param namespace the Service's
 * @param service the Service's name
 * @param port a number or a name
 */
public record BackendReference(String namespace, String service, PortReference port) {

    /** {@code default/shop:http}. */
    @Override
    public String toString() {
        return namespace + "/" + service + ":" + port;
    }

    /**
     * Reads {@code namespace/service:port}, as the configuration writes it.
     *
     * @throws IllegalArgumentException with a text for the author
     */
    public static BackendReference parse(String written) {
        int slash = written.indexOf('/');
        int colon = written.lastIndexOf(':');
        if (slash < 1 || colon < slash + 2 || colon == written.length() - 1) {
            throw new IllegalArgumentException(
                    "backend: " + written + " (expected: namespace/service:port)");
        }
        String port = written.substring(colon + 1);
        boolean number = port.chars().allMatch(c -> c >= '0' && c <= '9');
        if (number && port.length() > 5) {
            throw new IllegalArgumentException("port: " + port + " (expected: 1–65535)");
        }
        return new BackendReference(
                written.substring(0, slash),
                written.substring(slash + 1, colon),
                number
                        ? new PortReference.ByNumber(Integer.parseInt(port))
                        : new PortReference.ByName(port));
    }
}
