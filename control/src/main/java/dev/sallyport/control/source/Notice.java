package dev.sallyport.control.source;

/** What notifications said of a file since it was last looked at; the later ones prevail. */
enum Notice {
    /** Nothing, or there are none. */
    NONE,
    /** Its name was given to another file, and nothing else: by a rename, or a swapped link. */
    RENAMED,
    /** It was written to, removed, or removed and made anew: it may be half of a file. */
    WRITTEN;

    /** What both say together. */
    Notice and(Notice other) {
        return compareTo(other) < 0 ? other : this;
    }
}
