package dev.sallyport.control.reconcile;

import dev.sallyport.model.name.ObjectRef;
import java.util.Set;

/**
 * Learns which Secrets are referred to: a source that does not tell of all Secrets by itself then
 * looks for these.
 *
 * <p>Such a source may tell of Secrets that nothing refers to, once, since it cannot know better at
 * the start: the reconciler forgets them right after the round in which it heard of them. A Secret
 * that was referred to and is released is not forgotten while it exists, so that a source that can
 * goes on telling of its changes: nobody sees another certificate only because an Ingress was
 * replaced in two steps.
 */
@FunctionalInterface
public interface SecretDemand {

    /** For sources that tell of everything there is. */
    SecretDemand NONE = (_, _, _) -> {};

    /**
     * After each translation in which anything changed. On the reconciler's thread; does not block.
     *
     * @param wanted referred to from now on; each change of them is to be told
     * @param sought those of them that the reconciler does not know, be it that it was told of them
     *     before and has forgotten them: of each the source tells that it exists, that it does not,
     *     or that it cannot be read
     * @param released not referred to any more
     */
    void changed(Set<ObjectRef> wanted, Set<ObjectRef> sought, Set<ObjectRef> released);
}
