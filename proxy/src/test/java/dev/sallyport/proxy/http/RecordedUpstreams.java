package dev.sallyport.proxy.http;

import dev.sallyport.model.upstream.Endpoint;
import dev.sallyport.model.upstream.Upstream;
import dev.sallyport.proxy.upstream.UpstreamCall;
import dev.sallyport.proxy.upstream.Upstreams;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Backends that the test plays itself. */
final class RecordedUpstreams implements Upstreams {
    static final Endpoint ENDPOINT = new Endpoint("10.0.0.1", 8080);

    final List<Call> calls = new ArrayList<>();
    boolean connects = true;
    int cancelledWaits;

    /** Answers each call as soon as its request is complete; null for the test to do it. */
    @Nullable String answer;

    @Override
    public Runnable open(
            Upstream upstream,
            EventLoop loop,
            @Nullable Endpoint avoid,
            UpstreamCall.Listener listener) {
        Call call = new Call(this, listener, avoid);
        calls.add(call);
        if (connects) {
            listener.onConnected(call);
        }
        return () -> cancelledWaits++;
    }

    Call last() {
        return calls.getLast();
    }

    /** One attempt. */
    static final class Call implements UpstreamCall {
        final RecordedUpstreams owner;
        final Listener listener;
        final @Nullable Endpoint avoided;
        final StringBuilder body = new StringBuilder();
        String method = "";
        String target = "";
        HttpHeaders headers = new DefaultHttpHeaders();
        @Nullable HttpHeaders trailers;
        long contentLength = Long.MIN_VALUE;
        boolean webSocket;
        boolean ended;
        boolean cancelled;
        boolean writable = true;
        int heads;
        int credit;

        Call(RecordedUpstreams owner, Listener listener, @Nullable Endpoint avoided) {
            this.owner = owner;
            this.listener = listener;
            this.avoided = avoided;
        }

        @Override
        public void sendHead(
                String sentMethod,
                String sentTarget,
                HttpHeaders sentHeaders,
                long length,
                boolean asksForWebSocket) {
            heads++;
            method = sentMethod;
            target = sentTarget;
            headers = sentHeaders.copy();
            contentLength = length;
            webSocket = asksForWebSocket;
            ended = length == 0 && !webSocket;
            answerIfDone();
        }

        @Override
        public void sendData(ByteBuf data, boolean endOfStream) {
            body.append(data.toString(StandardCharsets.ISO_8859_1));
            data.release();
            ended |= endOfStream;
            answerIfDone();
        }

        @Override
        public void sendTrailers(HttpHeaders sent) {
            trailers = sent;
            ended = true;
            answerIfDone();
        }

        @Override
        public boolean isWritable() {
            return writable;
        }

        @Override
        public void consumed(int bytes) {
            credit += bytes;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public Endpoint endpoint() {
            return ENDPOINT;
        }

        @Override
        public boolean reused() {
            return false;
        }

        /** A whole response. */
        void respond(int status, String text) {
            listener.onHead(status, new DefaultHttpHeaders(), text.length(), text.isEmpty());
            if (!text.isEmpty()) {
                listener.onData(TestBytes.of(text), true);
            }
        }

        private void answerIfDone() {
            String text = owner.answer;
            if (ended && text != null) {
                respond(200, text);
            }
        }
    }
}
