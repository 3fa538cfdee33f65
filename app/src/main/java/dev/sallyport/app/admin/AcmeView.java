package dev.sallyport.app.admin;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.plan.Why;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How it stands with the certificates that the gateway has issued for itself: {@code /api/acme}.
 *
 * @param leads whether this gateway decides and orders; another replica does where not
 * @param trouble what keeps it from working at all; empty where nothing does
 * @param orders what was done since the start
 * @param issuers in the order of configuration
 * @param certificates by host
 */
public record AcmeView(
        boolean leads,
        String trouble,
        Orders orders,
        List<IssuerRow> issuers,
        List<CertificateRow> certificates) {
    private static final int FAILURES_SHOWN = 5;

    public AcmeView {
        Objects.requireNonNull(trouble);
        Objects.requireNonNull(orders);
        issuers = List.copyOf(issuers);
        certificates = List.copyOf(certificates);
    }

    /**
     * What was done since the start.
     *
     * @param begun orders begun, and gone on with
     * @param issued orders that came to a certificate
     * @param failed orders that came to nothing, by the kind of cause
     */
    public record Orders(long begun, long issued, SortedMap<String, Long> failed) {
        public Orders {
            failed = new TreeMap<>(failed);
        }
    }

    /**
     * One issuer.
     *
     * @param name as configured
     * @param directory its directory
     * @param account the account's URL; empty where there is none yet
     * @param requests how many requests it was sent since the start
     */
    public record IssuerRow(String name, String directory, String account, long requests) {
        public IssuerRow {
            Objects.requireNonNull(name);
            Objects.requireNonNull(directory);
            Objects.requireNonNull(account);
        }
    }

    /**
     * What the CA said of a certificate's renewal (RFC 9773).
     *
     * @param start from when it is to be renewed
     * @param end until when
     * @param askAgain when the CA is asked again
     * @param explanation where people can read why; empty where the CA named nothing
     */
    public record WindowView(Instant start, Instant end, Instant askAgain, String explanation) {
        public WindowView {
            Objects.requireNonNull(start);
            Objects.requireNonNull(end);
            Objects.requireNonNull(askAgain);
            Objects.requireNonNull(explanation);
        }

        static @Nullable WindowView of(Optional<RenewalWindow> window) {
            return window.map(it ->
                            new WindowView(
                                    it.start(), it.end(), it.askAgain(), text(it.explanation())))
                    .orElse(null);
        }
    }

    /**
     * An order that came to nothing.
     *
     * @param at when
     * @param issuer where
     * @param cause its kind, for instance {@code ValidationFailed}
     * @param detail for people
     * @param visit where the CA wants people to go; empty where it named nothing
     */
    public record FailureView(
            Instant at, String issuer, String cause, String detail, String visit) {
        public FailureView {
            Objects.requireNonNull(at);
            Objects.requireNonNull(issuer);
            Objects.requireNonNull(cause);
            Objects.requireNonNull(detail);
            Objects.requireNonNull(visit);
        }

        static FailureView of(Failure failure) {
            return new FailureView(
                    failure.at(),
                    failure.issuer(),
                    failure.cause().getClass().getSimpleName(),
                    failure.cause().detail(),
                    failure.cause() instanceof Cause.AccountRefused refused
                            ? text(refused.visit())
                            : "");
        }
    }

    /**
     * One certificate.
     *
     * @param id what it is called in the store
     * @param host what it is, or is to be, for; several names with commas between
     * @param wanted whether anybody still wants it
     * @param key the kind of key that is wanted, or that there is: {@code ec-p256}; empty where it
     *     is of a kind that is never ordered
     * @param issuers whom it may be ordered from, the one to be asked first in front
     * @param issuer whom the one that there is comes from; empty without one
     * @param serial its serial in hexadecimal; empty without one
     * @param notBefore from when it is valid; null without one
     * @param notAfter until when it is valid; null without one
     * @param window when the CA would have it renewed; null where it said nothing
     * @param next what is done next: {@code order}, {@code renew}, {@code remove}, or {@code look}
     *     where others serve the host
     * @param at when; null where it is now
     * @param why the reason, for people
     * @param purpose where {@code why} is what is waited for, what the order is for; else empty
     * @param givenUp whether people have to do something before an order can succeed
     * @param station how far the order under way has come, for instance {@code challenged}; empty
     *     where none is
     * @param orderedAt the issuer of the order under way; empty where none is
     * @param failed how many orders in a row came to nothing
     * @param failures the last of these, the newest first
     * @param servedUntil until when others serve it well; null where nobody does
     */
    public record CertificateRow(
            String id,
            String host,
            boolean wanted,
            String key,
            List<String> issuers,
            String issuer,
            String serial,
            @Nullable Instant notBefore,
            @Nullable Instant notAfter,
            @Nullable WindowView window,
            String next,
            @Nullable Instant at,
            String why,
            String purpose,
            boolean givenUp,
            String station,
            String orderedAt,
            int failed,
            List<FailureView> failures,
            @Nullable Instant servedUntil) {
        public CertificateRow {
            Objects.requireNonNull(id);
            Objects.requireNonNull(host);
            Objects.requireNonNull(key);
            issuers = List.copyOf(issuers);
            Objects.requireNonNull(issuer);
            Objects.requireNonNull(serial);
            Objects.requireNonNull(next);
            Objects.requireNonNull(why);
            Objects.requireNonNull(purpose);
            Objects.requireNonNull(station);
            Objects.requireNonNull(orderedAt);
            failures = List.copyOf(failures);
        }

        static CertificateRow of(Kept kept) {
            Optional<CurrentCertificate> current = kept.current();
            Next next = Next.of(kept);
            return new CertificateRow(
                    kept.id().text(),
                    host(kept),
                    kept.order().isPresent(),
                    kept.order()
                            .map(CertificateOrder::key)
                            .or(() -> current.flatMap(CurrentCertificate::key))
                            .map(KeyAlgorithm::text)
                            .orElse(""),
                    kept.issuers(),
                    current.map(CurrentCertificate::issuer).orElse(""),
                    kept.serial(),
                    current.map(CurrentCertificate::notBefore).orElse(null),
                    current.map(CurrentCertificate::notAfter).orElse(null),
                    WindowView.of(kept.window()),
                    next.word,
                    next.at,
                    kept.plan().why().text(),
                    next.purpose,
                    kept.plan().why() instanceof Why.Failed failed && failed.givenUp(),
                    kept.underWay().map(it -> it.name().toLowerCase(Locale.ROOT)).orElse(""),
                    kept.orderedAt().orElse(""),
                    kept.failures().size(),
                    kept.failures().reversed().stream()
                            .limit(FAILURES_SHOWN)
                            .map(FailureView::of)
                            .toList(),
                    kept.servedUntil().orElse(null));
        }

        private static String host(Kept kept) {
            List<String> names = kept.names().stream().map(Identifier::text).sorted().toList();
            return names.isEmpty() ? kept.id().text() : String.join(",", names);
        }
    }

    /** What is done next. */
    private static final class Next {
        private final String word;
        private final @Nullable Instant at;
        private final String purpose;

        private Next(String word, @Nullable Instant at, String purpose) {
            this.word = word;
            this.at = at;
            this.purpose = purpose;
        }

        static Next of(Kept kept) {
            return switch (kept.plan()) {
                case RenewalPlan.Keep(_, Instant until, Why why) ->
                        new Next(
                                switch (why) {
                                    case Why.HostGone _ -> "remove";
                                    case Why.ServedByOthers _ -> "look";
                                    default -> "renew";
                                },
                                until,
                                "");
                case RenewalPlan.Issue _ -> new Next("order", null, "");
                case RenewalPlan.Renew _ -> new Next("renew", null, "");
                case RenewalPlan.WaitUntil(Instant until, Why why, Why purpose) ->
                        new Next(
                                kept.current().isPresent() ? "renew" : "order",
                                until,
                                purpose.equals(why) ? "" : purpose.text());
                case RenewalPlan.Discard _ -> new Next("remove", null, "");
            };
        }
    }

    /** The view of what a keeper knows. */
    public static AcmeView of(KeeperState state) {
        return new AcmeView(
                state.leads(),
                state.trouble().orElse(""),
                new Orders(
                        state.counts().begun(),
                        state.counts().issued(),
                        sorted(state.counts().failed())),
                state.issuers().stream()
                        .map(it ->
                                new IssuerRow(
                                        it.name(),
                                        it.directory().toString(),
                                        text(it.account()),
                                        it.requests()))
                        .toList(),
                state.certificates().stream().map(CertificateRow::of).toList());
    }

    private static SortedMap<String, Long> sorted(Map<String, Long> counts) {
        return new TreeMap<>(counts);
    }

    private static String text(Optional<URI> url) {
        return url.map(URI::toString).orElse("");
    }
}
