package dev.sallyport.acme.order;

/** Hears how far an order has come; called on the order's thread, and not to throw. */
@FunctionalInterface
public interface Progress {
    /** Listens to nothing. */
    Progress IGNORED = _ -> {};

    /** The stations of an order, each reached after it was stored if it is stored at all. */
    enum Station {
        /** There is an account. */
        ACCOUNT,
        /** The key of the certificate to come is stored. */
        KEY_STORED,
        /** The CA has the order, and its URL is stored. */
        ORDERED,
        /** Everybody answers the challenges. */
        PRESENTED,
        /** The CA was asked to look. */
        CHALLENGED,
        /** The CA found all it looked for. */
        VALIDATED,
        /** The CA has the signing request. */
        FINALISED,
        /** The certificate is stored. */
        ISSUED
    }

    /** A station is reached. */
    void reached(Station station);
}
