package dev.sallyport.proxy.listen;

import dev.sallyport.proxy.ProxySettings;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringDatagramChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A system interface for event loops with the channels that fit it.
 *
 * @param name for the log: {@code epoll}, {@code io_uring} or {@code nio}
 */
public record Transport(
        String name,
        IoHandlerFactory handlers,
        ChannelFactory<? extends ServerSocketChannel> servers,
        ChannelFactory<? extends SocketChannel> sockets,
        ChannelFactory<? extends DatagramChannel> datagrams) {

    /**
     * The transport that was asked for.
     *
     * @throws TransportUnavailable where it cannot be used here; never for AUTO
     */
    public static Transport of(ProxySettings.Transport wanted) {
        return switch (wanted) {
            case AUTO -> Epoll.isAvailable() ? epoll() : nio();
            case EPOLL -> {
                require("epoll", Epoll.unavailabilityCause());
                yield epoll();
            }
            case IO_URING -> {
                require("io_uring", IoUring.unavailabilityCause());
                yield ioUring();
            }
            case NIO -> nio();
        };
    }

    private static void require(String name, @Nullable Throwable cause) {
        if (cause != null) {
            throw new TransportUnavailable(
                    "transport: "
                            + name
                            + " is not available here ("
                            + rootOf(cause)
                            + "). It needs Linux, a kernel that allows it (containers often forbid"
                            + " io_uring by seccomp) and the native library for this processor."
                            + " Choose auto.",
                    cause);
        }
    }

    private static String rootOf(Throwable cause) {
        Throwable root = cause;
        for (Throwable next = root.getCause(); next != null; next = root.getCause()) {
            root = next;
        }
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }

    private static Transport epoll() {
        return new Transport(
                "epoll",
                EpollIoHandler.newFactory(),
                EpollServerSocketChannel::new,
                EpollSocketChannel::new,
                EpollDatagramChannel::new);
    }

    private static Transport ioUring() {
        return new Transport(
                "io_uring",
                IoUringIoHandler.newFactory(),
                IoUringServerSocketChannel::new,
                IoUringSocketChannel::new,
                IoUringDatagramChannel::new);
    }

    private static Transport nio() {
        return new Transport(
                "nio",
                NioIoHandler.newFactory(),
                NioServerSocketChannel::new,
                NioSocketChannel::new,
                NioDatagramChannel::new);
    }
}
