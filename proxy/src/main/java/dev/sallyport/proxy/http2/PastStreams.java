package dev.sallyport.proxy.http2;

/**
 * What is remembered of streams that are no more, in bounded space: the latest that we reset, since
 * frames for them may have been on their way (RFC 9113 section 5.1 wants those ignored), and the
 * latest identifiers that the client skipped, which is the one case in which HEADERS for a lower
 * identifier is not a closed stream but one that comes too late.
 */
final class PastStreams {
    private static final int RESETS = 256; // a power of two
    private static final int GAPS = 8;

    private final int[] resets = new int[RESETS];
    private int resetCount;
    private final int[] gapStarts = new int[GAPS];
    private final int[] gapEnds = new int[GAPS];
    private int gapCount;

    /** We reset {@code streamId}. */
    void wasReset(int streamId) {
        resets[resetCount++ & (RESETS - 1)] = streamId;
    }

    /** Whether {@code streamId} is among the latest that we reset. */
    boolean isReset(int streamId) {
        int known = Math.min(resetCount, RESETS);
        for (int i = 1; i <= known; i++) {
            if (resets[(resetCount - i) & (RESETS - 1)] == streamId) {
                return true;
            }
        }
        return false;
    }

    /** The client opened {@code streamId} after {@code previous}. */
    void opened(int streamId, int previous) {
        int expected = previous == 0 ? 1 : previous + 2;
        if (streamId > expected) {
            int slot = gapCount++ % GAPS;
            gapStarts[slot] = expected;
            gapEnds[slot] = streamId;
        }
    }

    /** Whether {@code streamId} was skipped, as far as we remember. */
    boolean isSkipped(int streamId) {
        for (int i = 0; i < Math.min(gapCount, GAPS); i++) {
            if (streamId >= gapStarts[i] && streamId < gapEnds[i]) {
                return true;
            }
        }
        return false;
    }
}
