package dev.sallyport.acme.plan;

import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The reason for a decision, as data; {@link #text} is for people. */
public sealed interface Why {

    /** One clause, for a status line or an Event. */
    String text();

    /** There is no certificate. */
    record NoCertificate() implements Why {
        @Override
        public String text() {
            return "there is no certificate yet";
        }
    }

    /** The certificate names something else than what is wanted. */
    record NamesChanged(Set<Identifier> added, Set<Identifier> removed) implements Why {
        public NamesChanged {
            added = Set.copyOf(added);
            removed = Set.copyOf(removed);
        }

        @Override
        public String text() {
            return "the names changed: added " + list(added) + ", removed " + list(removed);
        }

        private static String list(Set<Identifier> identifiers) {
            return identifiers.isEmpty()
                    ? "none"
                    : identifiers.stream()
                            .map(Identifier::text)
                            .sorted()
                            .collect(Collectors.joining(", "));
        }
    }

    /** The certificate is for a key of another kind. */
    record KeyChanged(KeyAlgorithm wanted) implements Why {
        @Override
        public String text() {
            return "another key type is wanted: " + wanted.text();
        }
    }

    /** The certificate comes from an issuer that is not wanted any more. */
    record IssuerChanged(String from) implements Why {
        @Override
        public String text() {
            return "its issuer is not configured for it any more: " + from;
        }
    }

    /** So much of its lifetime has passed, or will have. */
    record Lifetime(Instant due, Instant notAfter) implements Why {
        @Override
        public String text() {
            return "it is valid until " + notAfter + " and due from " + due + " on";
        }
    }

    /** The CA asked for it: an instant of its window. */
    record Window(Instant selected, RenewalWindow window) implements Why {
        @Override
        public String text() {
            return "the CA suggests "
                    + window.start()
                    + " to "
                    + window.end()
                    + ", selected "
                    + selected;
        }
    }

    /** The CA's window ended early and has passed: revoked, distrusted, or about to be. */
    record Withdrawn(RenewalWindow window) implements Why {
        @Override
        public String text() {
            return "the CA wants it replaced at once (its window ended at " + window.end() + ")";
        }
    }

    /** It is not valid any more. */
    record Expired(Instant notAfter) implements Why {
        @Override
        public String text() {
            return "it expired at " + notAfter;
        }
    }

    /** Nobody wants it any more. */
    record HostGone(Instant since) implements Why {
        @Override
        public String text() {
            return "not wanted since " + since;
        }
    }

    /**
     * The last order failed.
     *
     * @param failures how many in a row, of that issuer and pace
     * @param givenUp whether it will not get well by itself, as far as we can tell; it is tried
     *     again all the same, rarely
     */
    record Failed(Failure last, int failures, boolean givenUp) implements Why {
        @Override
        public String text() {
            return (givenUp ? "given up after " : "failed ")
                    + failures
                    + (failures == 1 ? " time" : " times")
                    + " at "
                    + last.issuer()
                    + ": "
                    + last.cause().detail();
        }
    }

    /** One order more would be above what the CA allows. */
    record Limited(String issuer, String limit) implements Why {
        @Override
        public String text() {
            return "held back for " + issuer + "'s limit: " + limit;
        }
    }

    /** Others serve its names well until then, if nobody does anything. */
    record ServedByOthers(Instant until) implements Why {
        @Override
        public String text() {
            return "a Secret of others serves it, which is looked at again at " + until;
        }
    }

    /** Nobody knows yet whether others serve its names. */
    record OthersAwaited() implements Why {
        @Override
        public String text() {
            return "a Secret is named for it, or covers it, that is still being looked for";
        }
    }

    /** Others may be about to serve its names. */
    record OthersExpected() implements Why {
        @Override
        public String text() {
            return "a Secret is named for it, or would cover it, that may be applied in a moment";
        }
    }

    /** The CA has revoked what serves, as it was told to. */
    record Revoked() implements Why {
        @Override
        public String text() {
            return "the CA has revoked it";
        }
    }

    /** Somebody asked for it. */
    record Asked() implements Why {
        @Override
        public String text() {
            return "it was asked for";
        }
    }

    /** None of the issuers that are wanted is configured. */
    record NoIssuer(List<String> wanted) implements Why {
        public NoIssuer {
            wanted = List.copyOf(wanted);
        }

        @Override
        public String text() {
            return "no such issuer is configured: " + String.join(", ", wanted);
        }
    }

    /** What is stored of it is damaged, and nobody may write over it. */
    record Damaged(String detail) implements Why {
        @Override
        public String text() {
            return "what is stored of it cannot be used: " + detail;
        }
    }
}
