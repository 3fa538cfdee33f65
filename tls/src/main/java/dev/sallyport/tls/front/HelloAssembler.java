package dev.sallyport.tls.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Puts a ClientHello together from records, RFC 8446 section 5.1, without consuming them: BoringSSL
 * reads them again. Bounded: what is kept is never more than the records themselves, and each byte
 * is looked at once, however the bytes arrive. One connection, one event loop.
 */
final class HelloAssembler {
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final int MOST_FRAGMENT = 1 << 14;
    private static final int LEAST_ROOM = 256;
    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int HANDSHAKE = 22;
    private static final int APPLICATION_DATA = 23;
    private static final int CLIENT_HELLO = 1;
    private static final HelloProgress MORE = new HelloProgress.More();

    private final int mostBytes;
    private int seen; // bytes of whole records, from the reader index on
    private @Nullable ByteBuf message; // from more than one record

    /**
     * @param mostBytes of records, headers included
     */
    HelloAssembler(int mostBytes) {
        this.mostBytes = mostBytes;
    }

    /**
     * Looks at what came since the last call.
     *
     * @param in all bytes of the connection so far; not consumed
     */
    HelloProgress advance(ByteBuf in, ByteBufAllocator allocator) {
        while (true) {
            int record = in.readerIndex() + seen;
            int readable = in.readableBytes() - seen;
            if (readable > 0) {
                int type = in.getUnsignedByte(record);
                if (type != HANDSHAKE) {
                    return notHandshake(type);
                }
            }
            if (readable < RECORD_HEADER) {
                return more(in);
            }
            if (in.getUnsignedByte(record + 1) != 3) {
                return new HelloProgress.Refused(HandshakeFailure.NOT_TLS, null);
            }
            int length = in.getUnsignedShort(record + 3);
            if (length == 0) {
                return refused(Alert.UNEXPECTED_MESSAGE); // section 5.1 forbids empty fragments
            }
            if (length > MOST_FRAGMENT) {
                return refused(Alert.RECORD_OVERFLOW);
            }
            if (seen + RECORD_HEADER + length > mostBytes) {
                return tooLarge();
            }
            int fragment = record + RECORD_HEADER;
            if (message == null && readable >= RECORD_HEADER + MESSAGE_HEADER) {
                // Refused as soon as it is announced, not when the memory is filled.
                @Nullable HelloProgress wrong = wrongHeader(in, fragment);
                if (wrong != null && length >= MESSAGE_HEADER) {
                    return wrong;
                }
            }
            if (readable < RECORD_HEADER + length) {
                return more(in);
            }
            if (message == null && length >= MESSAGE_HEADER) {
                int body = in.getUnsignedMedium(fragment + 1);
                if (MESSAGE_HEADER + body <= length) { // as nearly always
                    return new HelloProgress.Complete(in.slice(fragment + MESSAGE_HEADER, body));
                }
            }
            if (message == null) {
                int room = Math.min(mostBytes, Math.max(LEAST_ROOM, 2 * length));
                message = allocator.buffer(room, mostBytes);
            }
            message.writeBytes(in, fragment, length);
            seen += RECORD_HEADER + length;
            if (message.readableBytes() >= MESSAGE_HEADER) {
                @Nullable HelloProgress wrong = wrongHeader(message, 0);
                if (wrong != null) {
                    return wrong;
                }
                int body = message.getUnsignedMedium(1);
                if (message.readableBytes() >= MESSAGE_HEADER + body) {
                    return new HelloProgress.Complete(message.slice(MESSAGE_HEADER, body));
                }
            }
        }
    }

    /** Gives back what is kept. */
    void release() {
        if (message != null) {
            message.release();
            message = null;
        }
    }

    private HelloProgress more(ByteBuf in) {
        return in.readableBytes() >= mostBytes ? tooLarge() : MORE;
    }

    private @Nullable HelloProgress wrongHeader(ByteBuf bytes, int index) {
        if (bytes.getUnsignedByte(index) != CLIENT_HELLO) {
            return refused(Alert.UNEXPECTED_MESSAGE);
        }
        return bytes.getUnsignedMedium(index + 1) > mostBytes ? tooLarge() : null;
    }

    private HelloProgress notHandshake(int type) {
        if (seen == 0 && type >= 'A' && type <= 'Z') {
            return new HelloProgress.Refused(HandshakeFailure.PLAIN_HTTP, null);
        }
        return type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA
                ? refused(Alert.UNEXPECTED_MESSAGE)
                : new HelloProgress.Refused(HandshakeFailure.NOT_TLS, null);
    }

    private static HelloProgress refused(Alert alert) {
        return new HelloProgress.Refused(HandshakeFailure.HELLO_MALFORMED, alert);
    }

    private static HelloProgress tooLarge() {
        return new HelloProgress.Refused(HandshakeFailure.HELLO_TOO_LARGE, Alert.ILLEGAL_PARAMETER);
    }
}
