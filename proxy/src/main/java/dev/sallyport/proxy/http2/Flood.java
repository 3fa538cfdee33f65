package dev.sallyport.proxy.http2;

/** The ways in which a client can cost more than it pays for; the word is for metrics. */
public enum Flood {
    /** Streams that the client reset, or made us reset (CVE-2023-44487, CVE-2025-55163). */
    RESETS("resets"),
    /** SETTINGS, PING, PRIORITY, unknown frames, idle WINDOW_UPDATE and empty DATA. */
    CONTROL_FRAMES("control_frames"),
    /** A header block in more pieces, or larger, than any sane request. */
    HEADERS("headers"),
    /** Nothing was read of what waits to be sent, or hardly anything, for too long. */
    STALLED("stalled");

    private final String word;

    Flood(String word) {
        this.word = word;
    }

    /** For metrics. */
    public String word() {
        return word;
    }
}
