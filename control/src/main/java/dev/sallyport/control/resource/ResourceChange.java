package dev.sallyport.control.resource;

import dev.sallyport.model.name.ObjectRef;
import java.util.Optional;

/**
 * What became of one object.
 *
 * @param ref the object
 * @param now as it is now; empty if it is gone
 */
public record ResourceChange(ObjectRef ref, Optional<Resource> now) {

    /** The object was made or changed. */
    public static ResourceChange put(Resource resource) {
        return new ResourceChange(resource.ref(), Optional.of(resource));
    }

    /** The object is gone. */
    public static ResourceChange remove(ObjectRef ref) {
        return new ResourceChange(ref, Optional.empty());
    }
}
