package dev.sallyport.control.translate;

import dev.sallyport.acme.plan.Identifier;
import java.util.List;

/**
 * The gateway's own addresses, for which one certificate is issued (RFC 8738): it is the default
 * one, since whoever asks for an address names no host.
 *
 * @param addresses at least one
 * @param issuers names of the issuers to be asked, the first in front; at least one
 */
public record AcmeAddresses(List<Identifier.Ip> addresses, List<String> issuers) {
    public AcmeAddresses {
        addresses = List.copyOf(addresses);
        issuers = List.copyOf(issuers);
        if (addresses.isEmpty() || issuers.isEmpty()) {
            throw new IllegalArgumentException(
                    "addresses, issuers: empty (expected: at least one)");
        }
    }
}
