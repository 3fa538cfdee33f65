package dev.sallyport.tls.front;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.internal.tcnative.SSL;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sits behind the TLS handler until its handshake ends: tells the handlers behind it of a complete
 * one and leaves, or closes the connection without their hearing of it.
 */
final class HandshakeWatch extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(HandshakeWatch.class);

    private final TlsAcceptor acceptor;
    private final TlsAcceptor.Choice.Chosen chosen;
    private final SslHandler tls;
    private boolean reported;

    HandshakeWatch(TlsAcceptor acceptor, TlsAcceptor.Choice.Chosen chosen, SslHandler tls) {
        this.acceptor = acceptor;
        this.chosen = chosen;
        this.tls = tls;
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        acceptor.end(tls.engine(), chosen);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent completion)) {
            ctx.fireUserEventTriggered(event);
        } else if (completion.isSuccess()) {
            complete(ctx);
        } else {
            fail(ctx, HandshakeFailures.reasonOf(completion.cause()), completion.cause());
        }
    }

    private void complete(ChannelHandlerContext ctx) {
        if (chosen.challenge()) {
            // "the server MUST NOT... exchange application data": the CA has seen what it wanted.
            reported = true;
            var _ = ctx.close();
            return;
        }
        try {
            acceptor.verify(tls.engine());
        } catch (SSLPeerUnverifiedException refused) {
            fail(ctx, HandshakeFailure.CLIENT_CERTIFICATE, refused);
            return;
        }
        TlsEstablished established = established();
        reported = true;
        acceptor.listener().established(established);
        ctx.fireUserEventTriggered(established);
        ctx.pipeline().remove(this);
    }

    private TlsEstablished established() {
        SSLSession session = tls.engine().getSession();
        String protocol = tls.applicationProtocol();
        long ssl = ((ReferenceCountedOpenSslEngine) tls.engine()).sslPointer();
        return new TlsEstablished(
                chosen.hello().serverName(),
                chosen.certificates(),
                chosen.fallback(),
                protocol == null ? "" : protocol,
                session.getProtocol(),
                session.getCipherSuite(),
                SSL.isSessionReused(ssl));
    }

    private void fail(ChannelHandlerContext ctx, HandshakeFailure reason, Throwable cause) {
        if (!reported) {
            reported = true;
            acceptor.listener().failed(reason);
            LOG.atDebug()
                    .addKeyValue("reason", reason)
                    .addKeyValue("remote", ctx.channel().remoteAddress())
                    .addKeyValue("cause", cause.getMessage())
                    .log("TLS handshake failed");
        }
        var _ = ctx.close();
    }

    /** What the TLS handler throws beside the event that told it already, or a reset connection. */
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, HandshakeFailures.reasonOf(cause), cause);
    }
}
