package dev.sallyport.model.name;

/**
 * Which object of an API server, and which version of it.
 *
 * @param uid tells an object from a later one of the same name; empty for what no API server holds
 * @param resourceVersion opaque; empty where the uid is
 */
public record ObjectVersion(String uid, String resourceVersion) {

    /** Of objects that no API server holds. */
    public static final ObjectVersion NONE = new ObjectVersion("", "");
}
