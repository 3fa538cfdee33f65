package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/**
 * Stands before a Pebble and hands on what it is asked and answers, until one request at which all
 * stops: so whoever asks can be killed at each step of an order.
 */
final class CutOffCa implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length: *([0-9]+)\\s*$");

    /** Asked for at times of its own, and no step of an order. */
    private static final String RENEWAL_INFO = "/renewalInfo/";

    private final SSLServerSocket server;
    private final SSLContext trusting;
    private final int pebble;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private Cut cut = Cut.nowhere(); // guarded by this
    private int count; // of requests since then; guarded by this

    /**
     * Where all stops.
     *
     * @param request which one, from 1
     * @param before whether the CA does not see it, or does and its answer is lost
     */
    private record Cut(int request, boolean before, CountDownLatch reached, CountDownLatch over) {
        Cut(int request, boolean before) {
            this(request, before, new CountDownLatch(1), new CountDownLatch(1));
        }

        static Cut nowhere() {
            return new Cut(Integer.MAX_VALUE, true);
        }

        boolean isNowhere() {
            return request == Integer.MAX_VALUE;
        }
    }

    CutOffCa(Pki pki, Pebble pebble) throws IOException {
        this.pebble = pebble.port();
        this.trusting = pki.clientContext();
        this.server =
                (SSLServerSocket)
                        pki.serving("localhost")
                                .getServerSocketFactory()
                                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    String directory() {
        return "https://localhost:" + server.getLocalPort() + "/dir";
    }

    /** From now on requests are counted, and all stops at one of them. */
    synchronized void cutAt(int request, boolean before) {
        cut = new Cut(request, before);
        count = 0;
    }

    /** Whether the request was reached at which all stops. */
    synchronized boolean isCut() {
        return cut.reached().getCount() == 0;
    }

    /** All goes on; what was held is lost. */
    synchronized void goOn() {
        cut.over().countDown();
        cut = Cut.nowhere();
    }

    @Override
    public void close() throws IOException {
        goOn();
        server.close();
        threads.shutdownNow();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                threads.execute(() -> handle(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void handle(Socket client) {
        try (client) {
            var in = new BufferedInputStream(client.getInputStream());
            String head = head(in);
            if (head.isEmpty()) {
                return;
            }
            Matcher length = LENGTH.matcher(head);
            byte[] body = in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
            Cut here = cutFor(head);
            if (here.before() && lost(here, client)) {
                return;
            }
            byte[] answer = ask(head, body);
            if (!here.before() && lost(here, client)) {
                return;
            }
            client.getOutputStream().write(answer);
        } catch (IOException gone) {
            // Whoever asked was killed.
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Cut cutFor(String head) {
        boolean step = !head.lines().findFirst().orElse("").contains(RENEWAL_INFO);
        if (step) {
            count++;
        }
        return step && count >= cut.request() ? cut : Cut.nowhere();
    }

    /** Waits, where this is the request or a later one; then it is lost. */
    private static boolean lost(Cut here, Socket client) throws InterruptedException, IOException {
        if (here.isNowhere()) {
            return false;
        }
        here.reached().countDown();
        here.over().await();
        client.close();
        return true;
    }

    /** By HTTP/1.0: the answer ends where the connection does. */
    private byte[] ask(String head, byte[] body) throws IOException {
        String asked =
                head.replaceFirst(" HTTP/1.1", " HTTP/1.0")
                        .replaceAll("(?im)^(connection|upgrade|http2-settings):.*\r\n", "");
        try (Socket socket =
                trusting.getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), pebble)) {
            socket.getOutputStream().write(asked.getBytes(ISO_8859_1));
            socket.getOutputStream().write(body);
            socket.getOutputStream().flush();
            String answer = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
            return answer.replaceFirst("\r\n", "\r\nConnection: close\r\n").getBytes(ISO_8859_1);
        }
    }

    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                return "";
            }
            head.write(next);
        }
        return head.toString(ISO_8859_1);
    }
}
