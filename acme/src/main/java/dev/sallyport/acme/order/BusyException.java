package dev.sallyport.acme.order;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** A CA, or what stands before it, asks to be left alone for a while. */
final class BusyException extends IOException {
    private static final long serialVersionUID = 1;

    /** However long it asks for. */
    private static final Duration LONGEST = Duration.ofDays(1);

    private final Instant until;

    /**
     * Makes one.
     *
     * @param detail what else was said; may be empty
     */
    BusyException(String host, int status, String detail, Instant until) {
        super(
                host
                        + ": status "
                        + status
                        + (detail.isEmpty() ? "" : " (" + detail + ")")
                        + ", to be asked again from "
                        + until
                        + " on");
        this.until = until;
    }

    /** From when on it may be asked again. */
    Instant until() {
        return until;
    }

    /** A Retry-After of either form (RFC 9110 section 10.2.3); empty where it is none. */
    static Optional<Instant> parse(String text, Instant now) {
        try {
            Instant at =
                    !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')
                            ? now.plusSeconds(Long.parseLong(text))
                            : ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                                    .toInstant();
            Instant latest = now.plus(LONGEST);
            return Optional.of(at.isAfter(latest) ? latest : at);
        } catch (DateTimeException | ArithmeticException | NumberFormatException malformed) {
            return Optional.empty();
        }
    }
}
