package dev.sallyport.conformance;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/** A client's handshake by any TLS engine over a blocking socket. */
final class EngineHandshake {

    private EngineHandshake() {}

    /** Runs it to its end. */
    static void run(SSLEngine engine, Socket socket) throws IOException {
        int size = engine.getSession().getPacketBufferSize();
        ByteBuffer received = ByteBuffer.allocate(4 * size);
        ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        engine.beginHandshake();
        while (true) {
            HandshakeStatus status = engine.getHandshakeStatus();
            switch (status) {
                case NEED_WRAP -> {
                    byte[] record = new byte[size];
                    SSLEngineResult wrapped =
                            engine.wrap(ByteBuffer.allocate(0), ByteBuffer.wrap(record));
                    socket.getOutputStream().write(record, 0, wrapped.bytesProduced());
                    socket.getOutputStream().flush();
                    if (wrapped.getHandshakeStatus() == HandshakeStatus.FINISHED) {
                        return;
                    }
                }
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    received.flip();
                    SSLEngineResult unwrapped = engine.unwrap(received, plain);
                    received.compact();
                    if (unwrapped.getHandshakeStatus() == HandshakeStatus.FINISHED) {
                        return;
                    }
                    if (unwrapped.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                        read(socket, received);
                    }
                }
                case NEED_TASK -> {
                    for (Runnable task = engine.getDelegatedTask();
                            task != null;
                            task = engine.getDelegatedTask()) {
                        task.run();
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    return;
                }
            }
        }
    }

    private static void read(Socket socket, ByteBuffer into) throws IOException {
        byte[] part = new byte[into.remaining()];
        int count = socket.getInputStream().read(part);
        if (count < 0) {
            throw new EOFException("closed in the handshake");
        }
        into.put(part, 0, count);
    }
}
