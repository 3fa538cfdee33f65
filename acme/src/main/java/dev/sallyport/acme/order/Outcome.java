package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.store.StoredCertificate;

/** What became of an order. */
public sealed interface Outcome {

    /** It is issued, was found to be what was ordered, and is stored. */
    record Issued(StoredCertificate certificate) implements Outcome {}

    /** It came to nothing; whatever was served before stays. */
    record Failed(Cause cause) implements Outcome {}
}
