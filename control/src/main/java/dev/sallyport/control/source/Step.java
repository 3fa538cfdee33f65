package dev.sallyport.control.source;

/** What is to be done about a file after a look at it. */
sealed interface Step {

    /** Nothing now. */
    record Stay(FileState state) implements Step {}

    /** Read it. */
    record Read(FileStamp stamp, Trust trust) implements Step {}

    /** Read it to see whether it is still what was read before. */
    record Compare(FileState.Settled state) implements Step {}

    /** Its objects are gone. */
    record Forget() implements Step {}

    /**
     * Report that it cannot be seen.
     *
     * @param reason for people
     */
    record Report(FileState.Barred state, String reason) implements Step {}

    /** How far the contents of a file are believed. */
    enum Trust {
        /** It has been still for a moment only: not what looks like a part of a file. */
        TENTATIVE,
        /** It was put in place by a rename: all that is there. What is missing may be elsewhere. */
        WHOLE,
        /** It has been still for long: whatever it is. */
        FINAL
    }
}
