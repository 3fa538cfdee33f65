package dev.sallyport.control.call;

/**
 * A bucket of tokens, into which one falls at an even pace: so many at once, so many a second
 * thereafter. Time is passed in, in nanoseconds of a clock that only goes forward. Confined to one
 * thread.
 */
public final class Tokens {
    private final double perNano;
    private final double most;
    private double left;
    private long updated;

    /**
     * A full bucket.
     *
     * @param most that it holds
     * @param perSecond how many fall in
     */
    public Tokens(double most, double perSecond, long now) {
        this.most = most;
        this.perNano = perSecond / 1e9;
        this.left = most;
        this.updated = now;
    }

    /** Takes one, if there is one. */
    public boolean take(long now) {
        update(now);
        if (left < 1) {
            return false;
        }
        left--;
        return true;
    }

    /** What was taken was not used. */
    public void giveBack() {
        left = Math.min(most, left + 1);
    }

    /** How long until there is one. */
    public long nanosToNext(long now) {
        update(now);
        return left >= 1 ? 0 : (long) Math.ceil((1 - left) / perNano);
    }

    /** Whether it is as if nobody had ever taken one. */
    public boolean isFull(long now) {
        update(now);
        return left >= most;
    }

    private void update(long now) {
        left = Math.min(most, left + Math.max(0, now - updated) * perNano);
        updated = now;
    }
}
