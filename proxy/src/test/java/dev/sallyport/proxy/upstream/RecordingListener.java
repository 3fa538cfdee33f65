package dev.sallyport.proxy.upstream;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.proxy.http.ProxyError;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Notes what a call tells; consumes at once unless told otherwise. */
class RecordingListener implements UpstreamCall.Listener {
    final List<String> events = new CopyOnWriteArrayList<>();
    final AtomicLong received = new AtomicLong();
    final CompletableFuture<UpstreamCall> connected = new CompletableFuture<>();
    final CompletableFuture<String> over = new CompletableFuture<>();
    volatile boolean consuming = true;
    volatile boolean keepBody = true;
    volatile @Nullable HttpHeaders responseHeaders;
    private final StringBuilder body = new StringBuilder(); // guarded by itself
    private final Consumer<UpstreamCall> send;

    RecordingListener(Consumer<UpstreamCall> send) {
        this.send = send;
    }

    /** Sends a GET for {@code target}. */
    static RecordingListener get(String target) {
        return new RecordingListener(call -> call.sendHead("GET", target, host(), 0, false));
    }

    static HttpHeaders host() {
        return new DefaultHttpHeaders().add("host", "shop.test");
    }

    /** How it ended: {@code end}, {@code trailers}, or the name of the error. */
    String outcome() {
        return over.orTimeout(10, TimeUnit.SECONDS).join();
    }

    String body() {
        synchronized (body) {
            return body.toString();
        }
    }

    @Override
    public void onConnected(UpstreamCall call) {
        events.add(call.reused() ? "reused" : "new");
        connected.complete(call);
        send.accept(call);
    }

    @Override
    public void onInformational(int status, HttpHeaders headers) {
        events.add("interim " + status);
    }

    @Override
    public void onHead(int status, HttpHeaders headers, long contentLength, boolean endOfStream) {
        responseHeaders = headers;
        events.add("head " + status + " " + contentLength);
        if (endOfStream) {
            over.complete("end");
        }
    }

    @Override
    public void onWebSocket(HttpHeaders headers) {
        events.add("websocket");
    }

    @Override
    public void onData(ByteBuf data, boolean endOfStream) {
        int length = data.readableBytes();
        if (keepBody) {
            synchronized (body) {
                body.append(data.toString(StandardCharsets.ISO_8859_1));
            }
        }
        data.release();
        received.addAndGet(length);
        if (consuming) {
            connected.join().consumed(length);
        }
        if (endOfStream) {
            over.complete("end");
        }
    }

    @Override
    public void onTrailers(HttpHeaders trailers) {
        trailers.forEach(field -> events.add("trailer " + field.getKey() + "=" + field.getValue()));
        over.complete("trailers");
    }

    @Override
    public void onWritable() {
        events.add("writable");
    }

    @Override
    public void onFailure(ProxyError why, boolean retriable, @Nullable Endpoint endpoint) {
        events.add(retriable ? "retriable" : "final");
        over.complete(why.name());
    }
}
