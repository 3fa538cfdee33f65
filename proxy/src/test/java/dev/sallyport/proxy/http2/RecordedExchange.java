package dev.sallyport.proxy.http2;

import dev.sallyport.proxy.http.ClientStream;
import dev.sallyport.proxy.http.ExchangeInput;
import dev.sallyport.proxy.http.ProxyError;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One exchange that a test answers by hand, from any thread. */
final class RecordedExchange implements ExchangeInput {
    private final ClientStream stream;
    private final RequestHead head;
    private final boolean consumes;
    private final AtomicReference<String> body = new AtomicReference<>("");
    private final CompletableFuture<HttpHeaders> trailers = new CompletableFuture<>();
    private final CompletableFuture<String> end = new CompletableFuture<>();
    private final CompletableFuture<ProxyError> aborted = new CompletableFuture<>();
    private @Nullable Consumer<ClientStream> filling;
    private final CompletableFuture<Boolean> writable = new CompletableFuture<>();

    RecordedExchange(ClientStream stream, RequestHead head, boolean consumes) {
        this.stream = stream;
        this.head = head;
        this.consumes = consumes;
        if (head.endOfStream()) {
            end.complete("");
        }
    }

    RequestHead head() {
        return head;
    }

    /** The body so far. */
    String body() {
        return body.get();
    }

    /** The whole body. */
    String wholeBody() {
        return await(end);
    }

    HttpHeaders trailers() {
        return await(trailers);
    }

    /** Why the client's side was over before its time. */
    ProxyError abortedFor() {
        return await(aborted);
    }

    boolean isAborted() {
        return aborted.isDone();
    }

    void awaitWritable() {
        assert await(writable);
    }

    /** Does something with the stream on its event loop, and waits for it. */
    void on(Consumer<ClientStream> action) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        stream.eventLoop()
                .execute(() -> {
                    try {
                        action.accept(stream);
                        done.complete(true);
                    } catch (RuntimeException e) {
                        done.completeExceptionally(e);
                    }
                });
        await(done);
    }

    /** Does something again and again while there is room, and whenever there is room again. */
    void whileWritable(Consumer<ClientStream> action) {
        on(to -> {
            filling = action;
            fill();
        });
    }

    private void fill() {
        Consumer<ClientStream> action = filling;
        while (action != null && !isAborted() && stream.isWritable()) {
            action.accept(stream);
        }
    }

    /** Answers 200 with a body. */
    void answer(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        on(to -> {
            to.sendHead(200, new DefaultHttpHeaders(), bytes.length, false);
            to.sendData(Unpooled.wrappedBuffer(bytes), true);
        });
    }

    @Override
    public void onData(ByteBuf data, boolean endOfStream) {
        int length = data.readableBytes();
        body.accumulateAndGet(data.toString(StandardCharsets.UTF_8), String::concat);
        data.release();
        if (consumes) {
            stream.consumed(length);
        }
        if (endOfStream) {
            end.complete(body());
        }
    }

    @Override
    public void onTrailers(HttpHeaders fields) {
        trailers.complete(fields);
        end.complete(body());
    }

    @Override
    public void onWritable() {
        writable.complete(true);
        fill();
    }

    @Override
    public void onAbort(ProxyError why) {
        aborted.complete(why);
    }

    private static <T> T await(CompletableFuture<T> future) {
        return future.orTimeout(10, TimeUnit.SECONDS).join();
    }
}
