package dev.sallyport.app.wire;

import java.util.Optional;

/** The program's version. */
public final class Version {
    private Version() {}

    /** From the jar's manifest; {@code development} where classes are run without one. */
    public static String current() {
        return Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
                .orElse("development");
    }
}
