package dev.sallyport.acme.plan;

import java.time.Instant;
import java.util.List;

/** Whether a certificate is wanted. */
public sealed interface Demand {

    /**
     * It is.
     *
     * @param order what it is to be
     * @param issuers names of issuers, the one to be asked first; at least one
     */
    record Wanted(CertificateOrder order, List<String> issuers) implements Demand {
        public Wanted {
            issuers = List.copyOf(issuers);
            if (issuers.isEmpty()) {
                throw new IllegalArgumentException("issuers: none (expected: at least one)");
            }
        }
    }

    /** Nobody wants it any more, since then. */
    record Gone(Instant since) implements Demand {}
}
