package dev.sallyport.app.admin;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A finding as JSON shows it, here and in {@code sallyport check -o json}.
 *
 * @param severity {@code error}, {@code warning} or {@code info}
 * @param reason for instance {@code SecretMissing}
 * @param kind of the object
 * @param namespace of the object; empty where it has none
 * @param name of the object
 * @param file where it stands; null where it came from no file
 * @param line from 1; 0 where the whole file is meant
 * @param message what is wrong
 * @param advice what to do
 */
public record FindingView(
        String severity,
        String reason,
        String kind,
        String namespace,
        String name,
        @Nullable String file,
        int line,
        String message,
        String advice) {

    /** The view of one finding. */
    public static FindingView of(Finding finding) {
        return new FindingView(
                finding.severity().name().toLowerCase(Locale.ROOT),
                finding.reason().camelCase(),
                finding.object().kind(),
                finding.object().namespace(),
                finding.object().name(),
                finding.location().map(Location::file).orElse(null),
                finding.location().map(Location::line).orElse(0),
                finding.message(),
                finding.advice());
    }
}
