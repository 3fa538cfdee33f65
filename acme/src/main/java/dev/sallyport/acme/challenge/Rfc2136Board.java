package dev.sallyport.acme.challenge;

import dev.sallyport.acme.plan.Identifier;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

/**
 * Shows DNS-01 proofs by changing a zone (RFC 2136). A record is presented when every server of the
 * zone answers with it. Changes add and remove single values, so that several orders for one name
 * do not disturb each other.
 */
public final class Rfc2136Board implements ChallengeBoard {
    private static final int TTL = 1;
    private static final Duration EXCHANGE = Duration.ofSeconds(5);
    private static final Duration BETWEEN = Duration.ofMillis(250);

    private final DynamicZone zone;

    /** A board in a zone; asks nothing yet. */
    public Rfc2136Board(DynamicZone zone) {
        this.zone = zone;
    }

    @Override
    public boolean takes(ChallengeType type, Identifier identifier) {
        return type == ChallengeType.DNS_01
                && identifier instanceof Identifier.Dns dns
                && zone.holds("_acme-challenge." + parent(dns));
    }

    private static String parent(Identifier.Dns dns) {
        return dns.isWildcard() ? dns.text().substring(2) : dns.text();
    }

    @Override
    public void present(Proof proof, Duration patience)
            throws NotPresentedException, InterruptedException {
        Proof.Dns dns = (Proof.Dns) proof;
        long end = System.nanoTime() + patience.toNanos();
        try {
            Name name = absolute(dns.name());
            var update = new Update(absolute(zone.zone().text()));
            update.add(new TXTRecord(name, DClass.IN, TTL, dns.value()));
            change(update);
            List<InetSocketAddress> servers = new ArrayList<>(zone.secondaries());
            servers.addFirst(zone.primary());
            for (InetSocketAddress server : servers) {
                while (!answers(server, name, dns.value())) {
                    if (System.nanoTime() - end > 0) {
                        throw new NotPresentedException(
                                server + " does not answer with the record " + dns.name());
                    }
                    pause();
                }
            }
        } catch (IOException failed) {
            throw new NotPresentedException(
                    "the zone " + zone.zone() + " could not be changed: " + failed.getMessage());
        }
    }

    @Override
    public void withdraw(Proof proof) {
        Proof.Dns dns = (Proof.Dns) proof;
        try {
            var update = new Update(absolute(zone.zone().text()));
            update.delete(new TXTRecord(absolute(dns.name()), DClass.IN, TTL, dns.value()));
            change(update);
        } catch (IOException | NotPresentedException stays) {
            // A record that proves what was proven already.
        }
    }

    private void change(Update update) throws IOException, NotPresentedException {
        SimpleResolver resolver = resolver(zone.primary());
        Name keyName = absolute(zone.keyName());
        resolver.setTSIGKey(
                zone.key()
                        .use(bytes ->
                                new TSIG(
                                        switch (zone.algorithm()) {
                                            case HMAC_SHA256 -> TSIG.HMAC_SHA256;
                                            case HMAC_SHA384 -> TSIG.HMAC_SHA384;
                                            case HMAC_SHA512 -> TSIG.HMAC_SHA512;
                                        },
                                        keyName,
                                        bytes)));
        Message answer = resolver.send(update);
        if (answer.getRcode() != Rcode.NOERROR) {
            throw new NotPresentedException(
                    "the zone "
                            + zone.zone()
                            + " refuses the change: "
                            + Rcode.string(answer.getRcode()));
        }
    }

    private static boolean answers(InetSocketAddress server, Name name, String value)
            throws TextParseException {
        try {
            Message answer =
                    resolver(server)
                            .send(Message.newQuery(Record.newRecord(name, Type.TXT, DClass.IN)));
            return answer.getSection(Section.ANSWER).stream()
                    .anyMatch(record ->
                            record instanceof TXTRecord txt
                                    && String.join("", txt.getStrings()).equals(value));
        } catch (IOException notYet) {
            return false;
        }
    }

    private static SimpleResolver resolver(InetSocketAddress server) throws UnknownHostException {
        var resolver =
                new SimpleResolver(
                        new InetSocketAddress(
                                InetAddress.getByName(server.getHostString()), server.getPort()));
        resolver.setTCP(true); // signed updates do not always fit elsewhere, and cannot be forged
        resolver.setTimeout(EXCHANGE);
        return resolver;
    }

    private static Name absolute(String name) throws TextParseException {
        return Name.fromString(name, Name.root);
    }

    private static void pause() throws InterruptedException {
        boolean _ = new Semaphore(0).tryAcquire(BETWEEN.toMillis(), TimeUnit.MILLISECONDS);
    }
}
