package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.ProxySettings;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Headers;

/**
 * HPACK for requests. The bound on a list of fields is {@link RequestFields}' own, so that a block
 * over it can be answered; here only its compressed size is bound.
 */
final class FieldDecoder extends DefaultHttp2HeadersDecoder {
    private static final int COMPRESSED_FACTOR = 4;

    private final ProxySettings.Limits limits;
    private boolean blockOpen;

    FieldDecoder(ProxySettings.Limits limits) {
        super(false, Http2CodecUtil.MAX_HEADER_LIST_SIZE);
        this.limits = limits;
    }

    /** Whether the beginning of a block was read, but not its end. */
    boolean blockOpen() {
        return blockOpen;
    }

    @Override
    protected Http2Headers newHeaders() {
        blockOpen = false;
        return new RequestFields(limits);
    }

    @Override
    public void maxHeaderListSize(long max, long goAwayMax) {
        // Ours, acknowledged by the client: it is in force already.
    }

    @Override
    public long maxHeaderListSize() {
        return limits.headerBytes();
    }

    /** Asked by the frame reader for each piece of a block, before it is kept. */
    @Override
    public long maxHeaderListSizeGoAway() {
        blockOpen = true;
        return (long) COMPRESSED_FACTOR * limits.headerBytes();
    }
}
