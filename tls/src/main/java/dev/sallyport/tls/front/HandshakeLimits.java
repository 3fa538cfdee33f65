package dev.sallyport.tls.front;

import java.time.Duration;

/**
 * Bounds on a connection until its handshake is complete.
 *
 * @param timeout from accept to the end of the handshake, the ClientHello included; at least 1 ms
 * @param maxHelloBytes the records of the ClientHello, 1024 to 65536 bytes
 */
public record HandshakeLimits(Duration timeout, int maxHelloBytes) {

    /** 10 s, 64 KiB. */
    public static final HandshakeLimits DEFAULT =
            new HandshakeLimits(Duration.ofSeconds(10), 64 * 1024);

    public HandshakeLimits {
        if (timeout.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "handshake timeout: " + timeout + " (expected: at least 1 ms)");
        }
        if (maxHelloBytes < 1024 || maxHelloBytes > 64 * 1024) {
            throw new IllegalArgumentException(
                    "hello bytes: " + maxHelloBytes + " (expected: 1024–65536)");
        }
    }
}
