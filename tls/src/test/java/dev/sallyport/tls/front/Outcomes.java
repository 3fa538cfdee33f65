package dev.sallyport.tls.front;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers how handshakes ended. */
final class Outcomes implements HandshakeListener {
    final List<TlsEstablished> established = new CopyOnWriteArrayList<>();
    final List<HandshakeFailure> failures = new CopyOnWriteArrayList<>();

    @Override
    public void established(TlsEstablished outcome) {
        established.add(outcome);
    }

    @Override
    public void failed(HandshakeFailure reason) {
        failures.add(reason);
    }
}
