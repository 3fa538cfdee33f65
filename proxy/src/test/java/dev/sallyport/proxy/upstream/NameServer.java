package dev.sallyport.proxy.upstream;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A name server on loopback, by datagram and by TCP, that says what a test tells it. */
final class NameServer implements AutoCloseable {
    private static final int A = 1;
    private static final int AAAA = 28;
    private static final int NO_SUCH_NAME = 3;
    private static final int TRUNCATED = 0x0200;
    private static final int RESPONSE = 0x8180;

    private final DatagramSocket datagrams;
    private final ServerSocket connections;
    private final Map<String, Zone> zones = new ConcurrentHashMap<>();
    private final AtomicInteger queries = new AtomicInteger();
    private final AtomicInteger byTcp = new AtomicInteger();

    /** What is known of a name. */
    private record Zone(List<InetAddress> addresses, int ttl, boolean silent, boolean large) {}

    private NameServer(DatagramSocket datagrams, ServerSocket connections) {
        this.datagrams = datagrams;
        this.connections = connections;
    }

    static NameServer start() throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        var connections = new ServerSocket(0, 10, loopback);
        var server =
                new NameServer(
                        new DatagramSocket(connections.getLocalPort(), loopback), connections);
        Thread.ofVirtual().name("name-server-udp").start(server::serveDatagrams);
        Thread.ofVirtual().name("name-server-tcp").start(server::serveConnections);
        return server;
    }

    NameServer answers(String name, int ttl, String... addresses) throws IOException {
        return put(name, new Zone(parsed(addresses), ttl, false, false));
    }

    /** Too much for a datagram. */
    NameServer answersByTcp(String name, String... addresses) throws IOException {
        return put(name, new Zone(parsed(addresses), 60, false, true));
    }

    NameServer ignores(String name) {
        return put(name, new Zone(List.of(), 0, true, false));
    }

    InetSocketAddress address() {
        return (InetSocketAddress) datagrams.getLocalSocketAddress();
    }

    /** Questions so far. */
    int queries() {
        return queries.get();
    }

    /** Those that came by TCP. */
    int queriesByTcp() {
        return byTcp.get();
    }

    @Override
    public void close() throws IOException {
        datagrams.close();
        connections.close();
    }

    private NameServer put(String name, Zone zone) {
        zones.put(name, zone);
        return this;
    }

    private static List<InetAddress> parsed(String... addresses) throws IOException {
        List<InetAddress> all = new ArrayList<>();
        for (String address : addresses) {
            all.add(InetAddress.getByName(address));
        }
        return all;
    }

    private void serveDatagrams() {
        var packet = new DatagramPacket(new byte[512], 512);
        while (!datagrams.isClosed()) {
            try {
                datagrams.receive(packet);
                byte[] answer =
                        answer(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()), false);
                if (answer.length > 0) {
                    datagrams.send(
                            new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serveConnections() {
        while (!connections.isClosed()) {
            try (Socket socket = connections.accept()) {
                var in = new DataInputStream(socket.getInputStream());
                byte[] question = in.readNBytes(in.readUnsignedShort());
                byTcp.incrementAndGet();
                byte[] answer = answer(ByteBuffer.wrap(question), true);
                var out = new DataOutputStream(socket.getOutputStream());
                out.writeShort(answer.length);
                out.write(answer);
                out.flush();
            } catch (IOException closed) {
                if (!connections.isClosed()) {
                    throw new UncheckedIOException(closed);
                }
            }
        }
    }

    /** RFC 1035 section 4. Empty where nothing is to be said. */
    private byte[] answer(ByteBuffer question, boolean tcp) {
        queries.incrementAndGet();
        int id = question.getShort(0);
        question.position(12);
        var name = new StringBuilder();
        for (int length = question.get(); length > 0; length = question.get()) {
            byte[] label = new byte[length];
            question.get(label);
            name.append(name.isEmpty() ? "" : ".")
                    .append(new String(label, StandardCharsets.US_ASCII));
        }
        int type = question.getShort();
        question.getShort(); // the class
        byte[] asked = new byte[question.position() - 12];
        question.get(12, asked);
        Zone zone = zones.get(name.toString());
        if (zone != null && zone.silent) {
            return new byte[0];
        }
        boolean cut = zone != null && zone.large && !tcp;
        List<InetAddress> found =
                zone == null || cut
                        ? List.of()
                        : zone.addresses.stream()
                                .filter(each -> type == (each.getAddress().length == 4 ? A : AAAA))
                                .toList();
        ByteBuffer out = ByteBuffer.allocate(8 * 1024);
        out.putShort((short) id)
                .putShort(
                        (short)
                                (RESPONSE
                                        | (cut ? TRUNCATED : 0)
                                        | (zone == null ? NO_SUCH_NAME : 0)))
                .putShort((short) 1)
                .putShort((short) found.size())
                .putInt(0)
                .put(asked);
        for (InetAddress each : found) {
            byte[] bytes = each.getAddress();
            out.putShort((short) 0xc00c) // the name asked for
                    .putShort((short) type)
                    .putShort((short) 1)
                    .putInt(zone == null ? 0 : zone.ttl)
                    .putShort((short) bytes.length)
                    .put(bytes);
        }
        byte[] answer = new byte[out.position()];
        out.get(0, answer);
        return answer;
    }
}
