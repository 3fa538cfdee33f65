package dev.sallyport.acme.challenge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.TXTRecord;

/** Against a name server of the test's own, which checks signatures. */
class Rfc2136BoardTest {
    private static final ObjectRef ORIGIN = ObjectRef.gateway("test");
    private static final byte[] KEY =
            "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Proof.Dns PROOF =
            new Proof.Dns(
                    Identifier.parse("*.shop.example"), "_acme-challenge.shop.example", "value-1");

    private final List<NameServer> servers = new ArrayList<>();

    @AfterEach
    void stop() throws IOException {
        for (NameServer server : servers) {
            server.close();
        }
    }

    @Test
    void aProofIsThereWhenItIsPresentedAndGoneWhenItIsWithdrawn() throws Exception {
        NameServer server = server();
        var board = new Rfc2136Board(zone(KEY, server));
        board.present(PROOF, PATIENCE);
        var other = new Proof.Dns(PROOF.identifier(), PROOF.name(), "value-2");
        board.present(other, PATIENCE);
        assertThat(server.values).containsExactly("value-1", "value-2");
        board.withdraw(PROOF);
        assertThat(server.values).containsExactly("value-2");
    }

    @Test
    void everyServerOfTheZoneIsWaitedFor() throws Exception {
        NameServer primary = server();
        NameServer secondary = server();
        secondary.follows = primary;
        secondary.behind.set(3);
        new Rfc2136Board(zone(KEY, primary, secondary)).present(PROOF, PATIENCE);
        assertThat(secondary.behind).hasValueLessThanOrEqualTo(0);
    }

    @Test
    void aServerThatNeverFollowsIsToldOf() throws Exception {
        NameServer primary = server();
        NameServer secondary = server();
        assertThatThrownBy(() ->
                        new Rfc2136Board(zone(KEY, primary, secondary))
                                .present(PROOF, Duration.ofMillis(300)))
                .isInstanceOf(NotPresentedException.class)
                .hasMessageContaining("does not answer with the record");
    }

    @Test
    void anotherKeyIsRefused() throws Exception {
        NameServer server = server();
        byte[] wrong = KEY.clone();
        wrong[0]++;
        assertThatThrownBy(() -> new Rfc2136Board(zone(wrong, server)).present(PROOF, PATIENCE))
                .isInstanceOf(NotPresentedException.class);
        assertThat(server.values).isEmpty();
    }

    @Test
    void aServerThatIsNotThereIsToldOf() throws Exception {
        NameServer server = server();
        server.close();
        assertThatThrownBy(() -> new Rfc2136Board(zone(KEY, server)).present(PROOF, PATIENCE))
                .isInstanceOf(NotPresentedException.class)
                .hasMessageContaining("could not be changed");
    }

    @ParameterizedTest
    @CsvSource({
        "DNS_01,*.shop.example,true",
        "DNS_01,shop.example,true",
        "DNS_01,a.b.shop.example,true",
        "DNS_01,othershop.example,false",
        "DNS_01,192.0.2.1,false",
        "HTTP_01,shop.example,false",
    })
    void onlyNamesOfTheZoneAreTaken(ChallengeType type, String name, boolean taken)
            throws Exception {
        assertThat(new Rfc2136Board(zone(KEY, server())).takes(type, Identifier.parse(name)))
                .isEqualTo(taken);
    }

    @Test
    void aZoneThatMakesNoSenseIsRefused() {
        assertThat(
                        DynamicZone.parse(
                                        ORIGIN,
                                        "*.shop.example",
                                        "ns.example:99999",
                                        "a b",
                                        "hmac-md5",
                                        SensitiveBytes.copyOf(new byte[] {'?'}))
                                .findings())
                .hasSize(5);
    }

    private NameServer server() throws IOException {
        var server = new NameServer();
        servers.add(server);
        return server;
    }

    private static DynamicZone zone(byte[] key, NameServer... servers) {
        List<String> addresses = new ArrayList<>();
        for (NameServer server : servers) {
            addresses.add("127.0.0.1:" + server.port());
        }
        Parsed<DynamicZone> parsed =
                DynamicZone.parse(
                        ORIGIN,
                        "shop.example",
                        String.join(",", addresses),
                        "sallyport",
                        "hmac-sha256",
                        SensitiveBytes.copyOf(Base64.getEncoder().encode(key)));
        return ((Parsed.Usable<DynamicZone>) parsed).value();
    }

    /** One zone with one record. */
    private static final class NameServer implements AutoCloseable {
        final List<String> values = new CopyOnWriteArrayList<>();
        final AtomicInteger behind = new AtomicInteger();
        volatile NameServer follows = this;

        private final ServerSocket socket =
                new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

        private final Thread accepting = Thread.ofVirtual().unstarted(this::acceptAll);

        NameServer() throws IOException {
            accepting.start();
        }

        int port() {
            return socket.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            socket.close();
            try {
                accepting.join(); // until then a connection may still be taken
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private void acceptAll() {
            while (!socket.isClosed()) {
                try {
                    Socket client = socket.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException closed) {
                    return;
                }
            }
        }

        private void serve(Socket client) {
            try (client) {
                var in = new DataInputStream(client.getInputStream());
                var out = new DataOutputStream(client.getOutputStream());
                while (true) {
                    byte[] wire = new byte[in.readUnsignedShort()];
                    in.readFully(wire);
                    byte[] answer = answer(wire);
                    out.writeShort(answer.length);
                    out.write(answer);
                    out.flush();
                }
            } catch (IOException done) {
                // The client has its answer.
            }
        }

        private byte[] answer(byte[] wire) throws IOException {
            var question = new Message(wire);
            var answer = new Message(question.getHeader().getID());
            answer.getHeader().setFlag(Flags.QR);
            answer.getHeader().setOpcode(question.getHeader().getOpcode());
            if (question.getHeader().getOpcode() != Opcode.UPDATE) {
                answer.addRecord(question.getQuestion(), Section.QUESTION);
                if (behind.getAndDecrement() <= 0) {
                    for (String value : follows.values) {
                        answer.addRecord(
                                new TXTRecord(
                                        question.getQuestion().getName(), DClass.IN, 1, value),
                                Section.ANSWER);
                    }
                }
                return answer.toWire();
            }
            var tsig = new TSIG(TSIG.HMAC_SHA256, Name.fromString("sallyport."), KEY);
            int error = tsig.verify(question, wire, (TSIGRecord) null);
            if (error != Rcode.NOERROR) {
                answer.getHeader().setRcode(Rcode.NOTAUTH);
                return answer.toWire();
            }
            for (Record record : question.getSection(Section.UPDATE)) {
                String value = String.join("", ((TXTRecord) record).getStrings());
                if (record.getDClass() == DClass.NONE) {
                    values.remove(value);
                } else {
                    values.add(value);
                }
            }
            answer.setTSIG(tsig, Rcode.NOERROR, question.getTSIG());
            return answer.toWire(65_535);
        }
    }
}
