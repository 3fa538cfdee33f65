package dev.sallyport.tls.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** The fatal alerts that the stage before BoringSSL sends by itself, RFC 8446 section 6. */
enum Alert {
    UNEXPECTED_MESSAGE(10),
    RECORD_OVERFLOW(22),
    ILLEGAL_PARAMETER(47),
    DECODE_ERROR(50),
    UNRECOGNIZED_NAME(112),
    NO_APPLICATION_PROTOCOL(120);

    private static final byte ALERT_RECORD = 21;
    private static final byte FATAL = 2;

    private final byte number;

    Alert(int number) {
        this.number = (byte) number;
    }

    /** As a whole record; TLS 1.2 in its header, as every version expects it there. */
    ByteBuf record() {
        return Unpooled.wrappedBuffer(new byte[] {ALERT_RECORD, 3, 3, 0, 2, FATAL, number});
    }
}
