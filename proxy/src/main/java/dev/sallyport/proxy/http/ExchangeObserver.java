package dev.sallyport.proxy.http;

/**
 * Sees every exchange: access log and metrics. Called on the exchange's event loop; never blocks.
 */
public interface ExchangeObserver {

    /** Sees nothing. */
    ExchangeObserver NONE =
            new ExchangeObserver() {
                @Override
                public void began(ClientConnection connection) {}

                @Override
                public void ended(ExchangeSummary summary) {}
            };

    /** A request head was read. {@link #ended} follows exactly once. */
    void began(ClientConnection connection);

    /**
     * The exchange is over, well or not.
     *
     * @param summary valid only until this returns: copy what is needed later
     */
    void ended(ExchangeSummary summary);
}
