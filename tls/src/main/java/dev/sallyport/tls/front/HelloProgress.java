package dev.sallyport.tls.front;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** How far the bytes at the beginning of a connection have got towards a ClientHello. */
sealed interface HelloProgress {

    /** More bytes are needed. */
    record More() implements HelloProgress {}

    /**
     * The message is complete.
     *
     * @param body without its four byte header; valid until the next call, not retained
     */
    record Complete(ByteBuf body) implements HelloProgress {}

    /**
     * It will never be one.
     *
     * @param alert what to answer with; null to say nothing, to whom does not speak TLS
     */
    record Refused(HandshakeFailure reason, @Nullable Alert alert) implements HelloProgress {}
}
