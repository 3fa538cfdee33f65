package dev.sallyport.acme.store;

import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.PlainText;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;

/** A state folder that cannot be used; the message says which it is and why, for people. */
public final class UnusableStateFolder extends IOException {
    private static final long serialVersionUID = 1;
    private static final int MOST_NAMES = 3;

    private final String advice;

    private UnusableStateFolder(Path root, String why, String advice) {
        super("the state folder " + root + " cannot be used: " + why);
        this.advice = advice;
    }

    /** Another process has it, or this one. */
    static UnusableStateFolder inUse(Path root) {
        return new UnusableStateFolder(
                root,
                "in use by another process (expected: a state folder of its own for each gateway)",
                "End the gateway that uses it, or name another folder with --state DIR.");
    }

    /**
     * It has been somebody else's.
     *
     * @param names what is in it and not ours
     */
    static UnusableStateFolder foreign(Path root, List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(names.size(), MOST_NAMES)));
        return new UnusableStateFolder(
                root,
                "it holds "
                        + PlainText.of(first)
                        + (names.size() > MOST_NAMES ? " and more" : "")
                        + " (expected: a folder of its own, which nobody else may enter: one that"
                        + " is not there yet, an empty one, or one with state)",
                "Name a folder of its own, for instance one below it, which is made: --state "
                        + root.resolve("sallyport")
                        + ".");
    }

    /** The system does not let us. */
    static UnusableStateFolder of(Path root, IOException failed) {
        boolean itself =
                failed instanceof FileSystemException at && root.toString().equals(at.getFile());
        return new UnusableStateFolder(
                root,
                itself ? FileFault.of(failed) : FileFault.at(failed),
                "Make it for the user that this process runs as, or give it to that user with all"
                        + " that is in it; or name another folder with --state DIR.");
    }

    /** What to do about it, as an imperative sentence. */
    public String advice() {
        return advice;
    }
}
