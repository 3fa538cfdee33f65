package dev.sallyport.acme.plan;

import dev.sallyport.model.finding.PlainText;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * Why an order came to nothing, and with that who can do something about it: us by trying again,
 * another issuer, or only people. A closed list, whatever library or CA it came from; texts are fit
 * to be printed.
 */
public sealed interface Cause {

    /** For people; may quote the CA. */
    String detail();

    /** How it is tried again. */
    default Pace pace() {
        return switch (this) {
            case NotPresented _, NotStored _, OrderLost _, AccountLost _ -> Pace.OURS;
            case Unreachable _, CaTrouble _ -> Pace.TROUBLE;
            case ValidationFailed _ -> Pace.VALIDATION;
            case RateLimited _ -> Pace.LIMIT;
            case NoChallenge _,
                    NameRefused _,
                    AccountRefused _,
                    OrderRefused _,
                    WrongCertificate _,
                    AddressRefused _ ->
                    Pace.PEOPLE;
        };
    }

    /** Whether another issuer may succeed where this one did not. */
    default boolean helpedByAnotherIssuer() {
        return pace() != Pace.OURS || this instanceof OrderLost;
    }

    /** Whether nothing is left of an order that failed so: it cannot be gone on with. */
    default boolean endsTheOrder() {
        return switch (this) {
            case ValidationFailed _,
                    NameRefused _,
                    NoChallenge _,
                    OrderRefused _,
                    OrderLost _,
                    WrongCertificate _ ->
                    true;
            case Unreachable _,
                    CaTrouble _,
                    RateLimited _,
                    NotPresented _,
                    NotStored _,
                    AccountLost _,
                    AccountRefused _,
                    AddressRefused _ ->
                    false;
        };
    }

    /** How soon the same issuer is asked again. */
    enum Pace {
        /** Something of ours was not ready; the CA was hardly troubled. */
        OURS,
        /** The CA or the way to it is in trouble, which passes. */
        TROUBLE,
        /** The CA looked and did not find what it should; it counts how often. */
        VALIDATION,
        /** The CA counts, and said stop. */
        LIMIT,
        /** People have to change something first. */
        PEOPLE
    }

    /**
     * The CA cannot be reached, or did not answer in time.
     *
     * @param asked whether what it was to do may have reached it, so that it may be done
     */
    record Unreachable(boolean asked, String detail) implements Cause {
        public Unreachable {
            detail = PlainText.of(detail);
        }

        /** One that was not asked to do anything. */
        public Unreachable(String detail) {
            this(false, detail);
        }
    }

    /** The CA answers, but not as the protocol has it, or that it is in trouble itself. */
    record CaTrouble(String detail) implements Cause {
        public CaTrouble {
            detail = PlainText.of(detail);
        }
    }

    /**
     * Too much was asked of the CA.
     *
     * @param until from when it may be asked again; empty where it did not say
     * @param wholeAccount whether the account as a whole is meant, and not only these names
     */
    record RateLimited(Optional<Instant> until, boolean wholeAccount, String detail)
            implements Cause {
        public RateLimited {
            detail = PlainText.of(detail);
        }

        /**
         * Until when it is waited, not before a minute nor for more than a week: clocks differ, and
         * a CA's word is not to keep a host without a certificate for ever.
         *
         * @param at when it was said
         */
        Optional<Instant> untilAfter(Instant at) {
            Instant soonest = at.plus(Duration.ofMinutes(1));
            Instant latest = at.plus(Duration.ofDays(7));
            return until.map(
                    it -> it.isBefore(soonest) ? soonest : it.isAfter(latest) ? latest : it);
        }
    }

    /** Not every replica answered the challenge when we asked, so the CA was not told to. */
    record NotPresented(String detail) implements Cause {
        public NotPresented {
            detail = PlainText.of(detail);
        }
    }

    /** Something could not be stored, so the order was not begun or not finished. */
    record NotStored(String detail) implements Cause {
        public NotStored {
            detail = PlainText.of(detail);
        }
    }

    /** The order is no longer known to the CA, or expired. */
    record OrderLost(String detail) implements Cause {
        public OrderLost {
            detail = PlainText.of(detail);
        }
    }

    /** The CA does not know our account any more; it is registered again. */
    record AccountLost(String detail) implements Cause {
        public AccountLost {
            detail = PlainText.of(detail);
        }
    }

    /**
     * The CA looked for the challenge and did not find it. Mostly DNS, or a firewall.
     *
     * @param identifiers which could not be proven
     */
    record ValidationFailed(Set<Identifier> identifiers, String detail) implements Cause {
        public ValidationFailed {
            identifiers = Set.copyOf(identifiers);
            detail = PlainText.of(detail);
        }
    }

    /** No challenge that the CA offers for an identifier can be answered by us. */
    record NoChallenge(Set<Identifier> identifiers, String detail) implements Cause {
        public NoChallenge {
            identifiers = Set.copyOf(identifiers);
            detail = PlainText.of(detail);
        }
    }

    /**
     * The CA does not issue for a name, ever: blocked, forbidden by CAA, of a kind it does not do.
     */
    record NameRefused(Set<Identifier> identifiers, String detail) implements Cause {
        public NameRefused {
            identifiers = Set.copyOf(identifiers);
            detail = PlainText.of(detail);
        }
    }

    /**
     * The CA does not take our account: new terms, an external account that is missing, a contact
     * it does not like.
     *
     * @param visit where people are to go, if the CA said so
     */
    record AccountRefused(Optional<URI> visit, String detail) implements Cause {
        public AccountRefused {
            detail = PlainText.of(detail);
        }
    }

    /** The CA does not take the order as such: its key, its profile, its CSR. */
    record OrderRefused(String detail) implements Cause {
        public OrderRefused {
            detail = PlainText.of(detail);
        }
    }

    /** What the CA issued is not what was ordered; it was not handed on. */
    record WrongCertificate(String detail) implements Cause {
        public WrongCertificate {
            detail = PlainText.of(detail);
        }
    }

    /** A URL that the CA named, or the CA's own, is not one that may be asked. */
    record AddressRefused(String detail) implements Cause {
        public AddressRefused {
            detail = PlainText.of(detail);
        }
    }
}
