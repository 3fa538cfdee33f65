package dev.sallyport.control.source;

import dev.sallyport.model.finding.Finding;

/** What reading a file gave. */
sealed interface Reading {

    /**
     * It could not be opened or read.
     *
     * @param why for people
     */
    record Barred(Finding why) implements Reading {}

    /** It holds what it held when it was last judged. */
    record Unchanged() implements Reading {}

    /**
     * It is no file of manifests.
     *
     * @param digest of the contents
     * @param why for people
     */
    record Unusable(Digest digest, Finding why) implements Reading {}

    /**
     * It holds objects.
     *
     * @param digest of the contents
     * @param manifest the objects
     * @param ended whether it ends as files do that are complete
     */
    record Usable(Digest digest, ManifestFile manifest, boolean ended) implements Reading {}
}
