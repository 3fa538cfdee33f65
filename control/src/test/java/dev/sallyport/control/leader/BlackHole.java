package dev.sallyport.control.leader;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Forwards connections to a port of this machine, and on demand nothing at all: bytes vanish, and
 * nobody is told.
 */
public final class BlackHole implements Closeable {
    private final ServerSocket server;
    private final int target;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile boolean swallowing;

    /**
     * @param target the port that is forwarded to
     */
    public BlackHole(int target) throws IOException {
        this.target = target;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    /** Where it listens. */
    public int port() {
        return server.getLocalPort();
    }

    /** From now on nothing comes through, in either direction; new connections are taken in. */
    public void swallow(boolean all) {
        swallowing = all;
        if (!all) {
            sockets.forEach(BlackHole::close); // what was swallowed is lost: streams are broken
        }
    }

    @Override
    public void close() {
        close(server);
        sockets.forEach(BlackHole::close);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), target);
                sockets.add(client);
                sockets.add(upstream);
                Thread.ofVirtual().start(() -> copy(client, upstream));
                Thread.ofVirtual().start(() -> copy(upstream, client));
            }
        } catch (IOException closed) {
            // the end of the test, or of the API server
        }
    }

    private void copy(Socket from, Socket to) {
        byte[] buffer = new byte[16 * 1024];
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (!swallowing) {
                    out.write(buffer, 0, read);
                    out.flush();
                }
            }
        } catch (IOException ended) {
            // either side
        }
    }

    private static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException ended) {
            // already
        }
    }
}
