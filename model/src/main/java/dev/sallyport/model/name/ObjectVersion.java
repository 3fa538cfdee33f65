package dev.sallyport.model.name;

/**
 * Which object of an API server, and which version of it.
 *
 * @param uid tells an object from a later one of the same name; empty for what no API server holds
 * @param resourceVersion grows with each change; empty where the uid is
 */
public record ObjectVersion(String uid, String resourceVersion) {

    /** Of objects that no API server holds. */
    public static final ObjectVersion NONE = new ObjectVersion("", "");

    /**
     * Whether this is known to be the older of two versions that an API server gave an object, or
     * two objects of one name: resource versions are decimal numbers that clients may compare
     * (Kubernetes 1.35 says so, and it was true before). False where one is something else.
     */
    public boolean isBefore(ObjectVersion other) {
        try {
            return Long.compareUnsigned(
                            Long.parseUnsignedLong(resourceVersion),
                            Long.parseUnsignedLong(other.resourceVersion))
                    < 0;
        } catch (NumberFormatException opaque) {
            return false;
        }
    }
}
