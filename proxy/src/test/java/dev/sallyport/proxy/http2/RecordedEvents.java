package dev.sallyport.proxy.http2;

import io.netty.handler.codec.http2.Http2Error;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Remembers what happened. */
final class RecordedEvents implements Http2Events {
    private final Queue<Http2Error> streamErrors = new ConcurrentLinkedQueue<>();
    private final Queue<Http2Error> connectionErrors = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> bugs = new ConcurrentLinkedQueue<>();
    private final Queue<Flood> floods = new ConcurrentLinkedQueue<>();

    Queue<Http2Error> streamErrors() {
        return streamErrors;
    }

    Queue<Http2Error> connectionErrors() {
        return connectionErrors;
    }

    Queue<Throwable> bugs() {
        return bugs;
    }

    Queue<Flood> floods() {
        return floods;
    }

    @Override
    public void onStreamError(Http2Error error) {
        streamErrors.add(error);
    }

    @Override
    public void onConnectionError(Http2Error error) {
        connectionErrors.add(error);
    }

    @Override
    public void onFlood(Flood flood) {
        floods.add(flood);
    }

    @Override
    public void onBug(Throwable cause) {
        bugs.add(cause);
    }
}
