package dev.sallyport.proxy.http;

/**
 * What was handed on and not taken yet, in bytes. Each piece counts for what holding it costs
 * beside its bytes: a peer that sends byte by byte is not to hold a hundred times what its bytes
 * weigh. Confined to one event loop.
 */
public final class InFlight {
    /** What a piece costs: buffer, slice, entry in a queue. */
    public static final int PIECE = 256;

    private int bytes;
    private int pieces;

    /** Nothing is in flight any more. */
    public void clear() {
        bytes = 0;
        pieces = 0;
    }

    /** A piece was handed on. */
    public void add(int size) {
        bytes += size;
        if (size > 0) {
            pieces++;
        }
    }

    /** So many bytes were taken, of whatever pieces. */
    public void taken(int size) {
        int before = bytes;
        bytes -= size;
        pieces = bytes <= 0 ? 0 : (int) ((long) pieces * bytes / before);
    }

    /** Whether there is as much as {@code bound}, or more. */
    public boolean reaches(int bound) {
        return bytes + (long) pieces * PIECE >= bound;
    }
}
