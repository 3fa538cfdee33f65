package dev.sallyport.proxy.http;

import io.netty.util.AsciiString;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The Date field, written anew once a second. Safe from any thread. */
final class HttpDate {
    /** RFC 9110 section 5.6.7, IMF-fixdate. */
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC);

    private final InstantSource clock;
    private volatile Second last;

    private record Second(long number, AsciiString text) {
        static Second of(long number) {
            return new Second(number, AsciiString.of(FORMAT.format(Instant.ofEpochSecond(number))));
        }
    }

    HttpDate(InstantSource clock) {
        this.clock = clock;
        this.last = Second.of(clock.millis() / 1000);
    }

    AsciiString now() {
        long number = clock.millis() / 1000;
        Second second = last;
        if (second.number != number) {
            second = Second.of(number);
            last = second; // another thread may do the same; both are right
        }
        return second.text;
    }
}
