package dev.sallyport.acme.order;

import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.Identifier;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeNotSupportedException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.exception.AcmeUserActionRequiredException;

/** What a CA's problem documents, and acme4j's exceptions, mean: the one place that knows. */
final class Causes {
    private static final String PREFIX = "urn:ietf:params:acme:error:";

    /** Of the parts of a compound problem, how many are told. */
    private static final int MOST_PARTS = 5;

    private Causes() {}

    /** What was being done: the same problem means different things. */
    enum Step {
        /** Registering or finding the account. */
        ACCOUNT,
        /** Making, finalising or reading an order. */
        ORDER,
        /** Having identifiers validated. */
        VALIDATION
    }

    /** What a failed request means. */
    static Cause of(Exception failure, Step step, Set<Identifier> identifiers) {
        return switch (failure) {
            case AcmeLazyLoadingException lazy
                    when lazy.getCause() instanceof AcmeException inner ->
                    of(inner, step, identifiers);
            case AcmeRateLimitedException limited ->
                    new Cause.RateLimited(
                            limited.getRetryAfter(),
                            step == Step.ACCOUNT,
                            text(limited.getProblem()));
            case AcmeUserActionRequiredException user ->
                    new Cause.AccountRefused(uri(user.getInstance()), text(user.getProblem()));
            case GoneException gone -> gone(gone, step);
            case AcmeServerException server -> of(server.getProblem(), step, identifiers);
            case AcmeNetworkException network -> ofNetwork(network);
            case AcmeNotSupportedException unsupported ->
                    new Cause.OrderRefused(message(unsupported));
            default -> new Cause.CaTrouble(message(failure));
        };
    }

    private static Cause gone(GoneException gone, Step step) {
        return step == Step.ACCOUNT
                ? new Cause.CaTrouble(message(gone))
                : new Cause.OrderLost(message(gone));
    }

    /** Whether a failure comes from our interrupting the thread. */
    static boolean isInterruption(Exception failure) {
        @Nullable Throwable cause = failure;
        for (int depth = 0; cause != null && depth < 10; depth++) {
            if (cause instanceof InterruptedException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    /** What a problem document means. */
    static Cause of(Problem problem, Step step, Set<Identifier> identifiers) {
        String text = text(problem);
        Set<Identifier> named = named(problem, identifiers);
        return switch (type(problem)) {
            case "rateLimited" -> new Cause.RateLimited(Optional.empty(), false, text);
            case "userActionRequired" -> new Cause.AccountRefused(problem.getInstance(), text);
            case "accountDoesNotExist" -> new Cause.AccountLost(text);
            case "externalAccountRequired",
                    "invalidContact",
                    "unsupportedContact",
                    "badSignatureAlgorithm" ->
                    new Cause.AccountRefused(Optional.empty(), text);
            case "rejectedIdentifier", "unsupportedIdentifier", "caa" ->
                    new Cause.NameRefused(named, text);
            case "connection", "dns", "tls", "incorrectResponse" ->
                    new Cause.ValidationFailed(named, text);
            case "unauthorized", "malformed" ->
                    switch (step) {
                        case ACCOUNT -> new Cause.AccountRefused(Optional.empty(), text);
                        case VALIDATION -> new Cause.ValidationFailed(named, text);
                        case ORDER -> new Cause.OrderRefused(text);
                    };
            case "badCSR", "badPublicKey", "invalidProfile", "orderNotReady", "alreadyReplaced" ->
                    step == Step.ACCOUNT
                            ? new Cause.AccountRefused(Optional.empty(), text)
                            : new Cause.OrderRefused(text);
            default -> new Cause.CaTrouble(text);
        };
    }

    /** The last part of a problem's type: {@code rateLimited}; empty for others than ACME's. */
    static String type(Problem problem) {
        String type = problem.getType().toString();
        return type.startsWith(PREFIX) ? type.substring(PREFIX.length()) : "";
    }

    /** Whether a failure is a problem of this type. */
    static boolean is(Exception failure, String type) {
        return switch (failure) {
            case AcmeLazyLoadingException lazy
                    when lazy.getCause() instanceof AcmeException inner ->
                    is(inner, type);
            case AcmeServerException server -> type(server.getProblem()).equals(type);
            default -> false;
        };
    }

    private static Cause ofNetwork(AcmeNetworkException network) {
        @Nullable Throwable cause = network.getCause();
        if (cause instanceof BusyException busy) {
            return new Cause.RateLimited(Optional.of(busy.until()), true, message(busy));
        }
        return cause instanceof AddressRefusedException refused
                ? new Cause.AddressRefused(message(refused))
                : new Cause.Unreachable(
                        cause instanceof UnansweredException,
                        cause instanceof IOException io ? message(io) : message(network));
    }

    private static String message(Exception failure) {
        @Nullable String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
    }

    private static String text(Problem problem) {
        String detail = problem.getDetail().orElse("");
        List<Problem> parts = problem.getSubProblems();
        if (!parts.isEmpty()) {
            detail +=
                    parts.stream()
                            .limit(MOST_PARTS)
                            .map(Causes::part)
                            .collect(
                                    Collectors.joining(
                                            "; ",
                                            " (",
                                            parts.size() > MOST_PARTS
                                                    ? "; and "
                                                            + (parts.size() - MOST_PARTS)
                                                            + " more)"
                                                    : ")"));
        }
        String type = type(problem);
        return (type.isEmpty() ? problem.getType().toString() : type)
                + (detail.isEmpty() ? "" : ": " + detail);
    }

    /** One identifier's part of a compound problem. */
    private static String part(Problem part) {
        String about =
                part.getIdentifier()
                        .map(it -> String.valueOf(it.toMap().get("value")) + ": ")
                        .orElse("");
        return about + part.getDetail().orElseGet(() -> type(part));
    }

    private static Set<Identifier> named(Problem problem, Set<Identifier> all) {
        Set<Identifier> named = new HashSet<>();
        for (Problem part : problem.getSubProblems()) {
            part.getIdentifier()
                    .ifPresent(it ->
                            all.stream()
                                    .filter(mine -> mine.text().equals(it.toMap().get("value")))
                                    .forEach(named::add));
        }
        return named.isEmpty() ? all : named;
    }

    private static Optional<URI> uri(@Nullable URL url) {
        try {
            return url == null ? Optional.empty() : Optional.of(url.toURI());
        } catch (URISyntaxException notAUri) {
            return Optional.empty();
        }
    }
}
