package dev.sallyport.control.source;

/** What one look at a file showed, without reading it. */
sealed interface Sight {

    /** It is there. */
    record Present(FileStamp stamp, Notice notice) implements Sight {}

    /** It is not there. */
    record Absent() implements Sight {}

    /**
     * That cannot be told.
     *
     * @param reason for people
     */
    record Hidden(String reason) implements Sight {}
}
