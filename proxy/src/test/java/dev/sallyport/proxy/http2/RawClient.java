package dev.sallyport.proxy.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A client that writes frames by hand, so that it can write any, and reads them one by one. Reading
 * fails after ten seconds of silence.
 */
final class RawClient implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    static final int SETTINGS_INITIAL_WINDOW = 4;

    private static final int SILENCE_MILLIS = 10_000;
    private static final byte[] PREFACE =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private final DataOutputStream out;
    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);

    /** One frame as it came. */
    record Frame(int type, int flags, int streamId, ByteBuffer payload) {

        boolean endsStream() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }

        int length() {
            return payload.remaining();
        }

        /** The 32-bit number at {@code offset} of the payload. */
        int number(int offset) {
            return payload.getInt(offset);
        }

        String text() {
            return StandardCharsets.UTF_8.decode(payload.duplicate()).toString();
        }
    }

    private RawClient(int port, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(SILENCE_MILLIS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 64 * 1024));
    }

    /** A connection on which nothing was said. */
    static RawClient silent(TestServer server) throws IOException {
        return new RawClient(server.port(), 0);
    }

    /** A connection after preface and empty SETTINGS. */
    static RawClient connect(TestServer server) throws IOException {
        return new RawClient(server.port(), 0).greet();
    }

    /** A connection with little room for what it does not read. */
    static RawClient narrow(TestServer server) throws IOException {
        return new RawClient(server.port(), 4 * 1024).greet();
    }

    /** A connection that gives its streams so much window to begin with. */
    static RawClient withWindow(TestServer server, int window) throws IOException {
        RawClient client = new RawClient(server.port(), 0);
        client.raw(PREFACE);
        client.settings(SETTINGS_INITIAL_WINDOW, window);
        client.flush();
        return client;
    }

    /** Sends preface and empty SETTINGS. */
    RawClient greet() {
        return raw(PREFACE).frame(SETTINGS, 0, 0).flush();
    }

    RawClient raw(byte[] bytes) {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    RawClient flush() {
        try {
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Buffers a frame. */
    RawClient frame(int type, int flags, int streamId, byte... payload) {
        try {
            out.writeByte(payload.length >> 16);
            out.writeShort(payload.length);
            out.writeByte(type);
            out.writeByte(flags);
            out.writeInt(streamId);
            out.write(payload);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    RawClient settings(int id, int value) {
        return frame(
                SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) id).putInt(value).array());
    }

    RawClient windowUpdate(int streamId, int increment) {
        return frame(WINDOW_UPDATE, 0, streamId, bytes(increment));
    }

    RawClient reset(int streamId) {
        return frame(RST_STREAM, 0, streamId, bytes(8));
    }

    RawClient data(int streamId, boolean end, byte... payload) {
        return frame(DATA, end ? END_STREAM : 0, streamId, payload);
    }

    /** Buffers a HEADERS frame with fields given as name, value, name, value. */
    RawClient headers(int streamId, boolean end, String... fields) {
        return frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), streamId, block(fields));
    }

    /** Buffers a GET for {@code /}. */
    RawClient get(int streamId, String... fields) {
        return headers(streamId, true, request("GET", fields));
    }

    /** Buffers the head of a POST. */
    RawClient post(int streamId, String... fields) {
        return headers(streamId, false, request("POST", fields));
    }

    static String[] request(String method, String... fields) {
        String[] all = new String[8 + fields.length];
        all[0] = ":method";
        all[1] = method;
        all[2] = ":scheme";
        all[3] = "http";
        all[4] = ":path";
        all[5] = "/";
        all[6] = ":authority";
        all[7] = "shop.example";
        System.arraycopy(fields, 0, all, 8, fields.length);
        return all;
    }

    /** A header block. */
    byte[] block(String... fields) {
        Http2Headers headers = new DefaultHttp2Headers(false);
        for (int i = 0; i < fields.length; i += 2) {
            headers.add(fields[i], fields[i + 1]);
        }
        ByteBuf block = Unpooled.buffer();
        try {
            encoder.encodeHeaders(1, headers, block);
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
        byte[] bytes = new byte[block.readableBytes()];
        block.readBytes(bytes);
        return bytes;
    }

    /** The next frame, or null at the end of the connection. */
    @Nullable Frame next() {
        try {
            int first = in.read();
            if (first < 0) {
                return null;
            }
            int length = first << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int streamId = in.readInt();
            byte[] payload = new byte[length];
            in.readFully(payload);
            return new Frame(type, flags, streamId, ByteBuffer.wrap(payload));
        } catch (SocketException reset) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next frame of a type; those before it are skipped, SETTINGS acknowledged. */
    Frame await(int type) {
        return await(type, -1);
    }

    /** The next frame of a type on a stream. */
    Frame await(int type, int streamId) {
        for (Frame frame = next(); frame != null; frame = next()) {
            if (frame.type() == SETTINGS && (frame.flags() & ACK) == 0) {
                frame(SETTINGS, ACK, 0).flush();
            }
            if (frame.type() == type && (streamId < 0 || frame.streamId() == streamId)) {
                return frame;
            }
        }
        throw new AssertionError(
                "connection: closed before frame " + type + " of stream " + streamId);
    }

    /** The fields of a HEADERS frame. All of a connection must be decoded, in order. */
    Http2Headers fields(Frame headers) {
        try {
            return decoder.decodeHeaders(
                    headers.streamId(), Unpooled.wrappedBuffer(headers.payload()));
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The text of DATA on a stream until it ends. */
    String body(int streamId) {
        StringBuilder text = new StringBuilder();
        Frame frame;
        do {
            frame = await(DATA, streamId);
            text.append(frame.text());
        } while (!frame.endsStream());
        return text.toString();
    }

    /** The error of the GOAWAY that ends the connection, which must end. */
    long goAwayError() {
        Frame goAway = await(GOAWAY);
        Frame after = next();
        while (after != null) {
            after = next();
        }
        return goAway.number(4);
    }

    static byte[] bytes(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    @Override
    public void close() {
        try {
            encoder.close();
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
