package dev.sallyport.control.reconcile;

import dev.sallyport.model.name.ObjectRef;
import java.util.Set;

/**
 * Learns which Secrets are referred to: a source that does not tell of all Secrets by itself then
 * looks for these.
 */
@FunctionalInterface
public interface SecretDemand {

    /** For sources that tell of everything there is. */
    SecretDemand NONE = (_, _) -> {};

    /**
     * After each translation in which anything changed. On the reconciler's thread; does not block.
     *
     * @param wanted referred to from now on; of each the source tells that it exists, that it does
     *     not, or that it cannot be read
     * @param released not referred to any more
     */
    void changed(Set<ObjectRef> wanted, Set<ObjectRef> released);
}
