package dev.sallyport.tls.front;

import dev.sallyport.tls.context.PolicyContext;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** The one place that turns what the TLS handler reports into a {@link HandshakeFailure}. */
final class HandshakeFailures {
    private static final int DEEPEST_CAUSE = 8;

    /** Words of BoringSSL's error strings for hellos that leave nothing to agree on. */
    private static final List<String> NOTHING_IN_COMMON =
            List.of(
                    "UNSUPPORTED_PROTOCOL",
                    "NO_SHARED_CIPHER",
                    "NO_SHARED_GROUP",
                    "NO_COMMON_SIGNATURE_ALGORITHMS",
                    "UNKNOWN_CERTIFICATE_TYPE",
                    "NO_CERTIFICATE_SET",
                    "WRONG_CURVE",
                    "WRONG_CIPHER_RETURNED",
                    "INAPPROPRIATE_FALLBACK");

    private HandshakeFailures() {}

    static HandshakeFailure reasonOf(Throwable reported) {
        @Nullable Throwable cause = reported;
        HandshakeFailure reason = HandshakeFailure.PROTOCOL;
        for (int i = 0; i < DEEPEST_CAUSE && cause != null; i++) {
            HandshakeFailure told = told(cause);
            if (told != HandshakeFailure.PROTOCOL) {
                reason = told;
            }
            cause = cause.getCause();
        }
        return reason;
    }

    private static HandshakeFailure told(Throwable cause) {
        if (PolicyContext.isWithoutCredential(cause)) {
            return HandshakeFailure.CREDENTIAL;
        }
        return switch (cause) {
            case SslHandshakeTimeoutException _ -> HandshakeFailure.TIMEOUT;
            case ClosedChannelException _ -> HandshakeFailure.CLOSED;
            case CertificateException _ -> HandshakeFailure.CLIENT_CERTIFICATE;
            case SSLException tls -> byMessage(tls.getMessage());
            case IOException _ -> HandshakeFailure.CLOSED; // a reset connection
            default -> HandshakeFailure.PROTOCOL;
        };
    }

    /** BoringSSL tells its reasons in words only. */
    private static HandshakeFailure byMessage(@Nullable String message) {
        if (message == null) {
            return HandshakeFailure.PROTOCOL;
        }
        if (message.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE")
                || message.contains("CERTIFICATE_VERIFY_FAILED")) {
            return HandshakeFailure.CLIENT_CERTIFICATE;
        }
        if (message.contains("_ALERT_")) {
            return HandshakeFailure.CLIENT_REFUSED;
        }
        if (message.contains("closed while SSL/TLS handshake was in progress")) {
            return HandshakeFailure.CLOSED;
        }
        return NOTHING_IN_COMMON.stream().anyMatch(message::contains)
                ? HandshakeFailure.NO_COMMON_PARAMETERS
                : HandshakeFailure.PROTOCOL;
    }
}
