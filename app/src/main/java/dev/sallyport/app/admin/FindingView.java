package dev.sallyport.app.admin;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Location;
import dev.sallyport.model.name.ObjectRef;
import java.util.Locale;

/**
 * A finding as JSON shows it, here and in {@code sallyport check -o json}.
 *
 * @param severity {@code error}, {@code warning} or {@code info}
 * @param reason for instance {@code SecretMissing}
 * @param object the object at fault
 * @param file where it stands; empty where it came from no file
 * @param line from 1; 0 where the whole file is meant
 * @param message what is wrong
 * @param advice what to do
 */
public record FindingView(
        String severity,
        String reason,
        ObjectRef object,
        String file,
        int line,
        String message,
        String advice) {

    /** The view of one finding. */
    public static FindingView of(Finding finding) {
        return new FindingView(
                finding.severity().name().toLowerCase(Locale.ROOT),
                finding.reason().camelCase(),
                finding.object(),
                finding.location().map(Location::file).orElse(""),
                finding.location().map(Location::line).orElse(0),
                finding.message(),
                finding.advice());
    }
}
