package dev.sallyport.acme.keep;

import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.store.CertificateId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A certificate that is wanted.
 *
 * @param id which one it is, whatever its names become
 * @param order what it is to be
 * @param issuers names of configured issuers, the one to be asked first in front; at least one
 * @param servedUntil until when others serve all its names well (a user's Secret, cert-manager):
 *     nothing is ordered, nor renewed, before; empty where nobody does
 * @param prospect whether others may be about to
 */
public record Wish(
        CertificateId id,
        CertificateOrder order,
        List<String> issuers,
        Optional<Instant> servedUntil,
        Prospect prospect) {
    public Wish {
        issuers = List.copyOf(issuers);
        if (issuers.isEmpty()) {
            throw new IllegalArgumentException("issuers: none (expected: at least one)");
        }
    }

    /** What others may be about to do, as none of them serves it yet. */
    Prospect open() {
        return servedUntil.isEmpty() ? prospect : Prospect.NONE;
    }
}
