package dev.sallyport.acme.keep;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the keeper knows at one moment. Immutable.
 *
 * @param leads whether this process decides and orders; others only serve what is stored
 * @param known whether what is stored was read since it leads: before, {@code certificates} lack it
 * @param certificates in the order of their ids
 * @param issuers in the order of configuration
 * @param counts since the start
 * @param trouble what keeps it from working at all, for people: a store that cannot be read or
 *     written; empty where nothing does
 */
public record KeeperState(
        boolean leads,
        boolean known,
        List<Kept> certificates,
        List<IssuerState> issuers,
        Counts counts,
        Optional<String> trouble) {

    /** Before anything is known. */
    public static final KeeperState EMPTY =
            new KeeperState(false, false, List.of(), List.of(), Counts.NONE, Optional.empty());

    public KeeperState {
        certificates = List.copyOf(certificates);
        issuers = List.copyOf(issuers);
    }

    /**
     * One issuer.
     *
     * @param name as configured
     * @param directory its directory
     * @param account the account's URL, where there is one
     * @param requests how many requests it was sent since the start
     */
    public record IssuerState(String name, URI directory, Optional<URI> account, long requests) {}

    /**
     * What was done since the start.
     *
     * @param begun orders begun, and gone on with
     * @param issued orders that came to a certificate
     * @param failed orders that came to nothing, by the kind of cause ({@code ValidationFailed})
     */
    public record Counts(long begun, long issued, Map<String, Long> failed) {
        static final Counts NONE = new Counts(0, 0, Map.of());

        public Counts {
            failed = Map.copyOf(failed);
        }
    }
}
