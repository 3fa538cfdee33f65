package dev.sallyport.proxy.http2;

import io.netty.handler.codec.EmptyHeaders;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Iterator;
import java.util.Map;

/**
 * The shape of a header block that Netty's HPACK coder reads from or writes to, without Netty's
 * map: nothing can be asked of it but what a subclass adds.
 */
class FieldBlock extends EmptyHeaders<CharSequence, CharSequence, Http2Headers>
        implements Http2Headers {

    @Override
    public Iterator<Map.Entry<CharSequence, CharSequence>> iterator() {
        return super.iterator();
    }

    @Override
    public final Iterator<CharSequence> valueIterator(CharSequence name) {
        return super.valueIterator(name);
    }

    @Override
    public final Http2Headers method(CharSequence value) {
        throw readOnly();
    }

    @Override
    public final Http2Headers scheme(CharSequence value) {
        throw readOnly();
    }

    @Override
    public final Http2Headers authority(CharSequence value) {
        throw readOnly();
    }

    @Override
    public final Http2Headers path(CharSequence value) {
        throw readOnly();
    }

    @Override
    public final Http2Headers status(CharSequence value) {
        throw readOnly();
    }

    @Override
    public final CharSequence method() {
        return "";
    }

    @Override
    public final CharSequence scheme() {
        return "";
    }

    @Override
    public final CharSequence authority() {
        return "";
    }

    @Override
    public final CharSequence path() {
        return "";
    }

    @Override
    public final CharSequence status() {
        return "";
    }

    @Override
    public final boolean contains(CharSequence name, CharSequence value, boolean caseInsensitive) {
        return false;
    }

    private static UnsupportedOperationException readOnly() {
        return new UnsupportedOperationException("fields: read only");
    }
}
