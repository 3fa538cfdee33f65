package dev.sallyport.control.acme;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.event.News;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ShardedMap;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What goes well, as news of the Ingresses that ask: ordered, issued, and when it is renewed. What
 * was so when this replica began to lead is no news. Confined to one thread.
 */
final class AcmeProgress {
    /** The CA has the order. */
    static final String ORDERED = "AcmeOrdered";

    /** There is a certificate. */
    static final String ISSUED = "AcmeIssued";

    private Map<String, Seen> seen = Map.of();
    private boolean led;

    /**
     * How it stood with a certificate.
     *
     * @param serial empty without one
     * @param ordered whether the CA has an order for it
     */
    private record Seen(String serial, boolean ordered) {
        static final Seen NOTHING = new Seen("", false);

        static Seen of(Kept kept) {
            return new Seen(
                    kept.serial(),
                    kept.underWay()
                            .filter(station -> station.compareTo(Station.ORDERED) >= 0)
                            .isPresent());
        }
    }

    /** What happened since the last call. */
    List<News> news(KeeperState keeper, ShardedMap<Hostname, AcmeHost> hosts) {
        if (!keeper.leads()) {
            led = false;
            return List.of();
        }
        if (!led && keeper.trouble().isPresent()) {
            return List.of(); // it does not know yet what was so before
        }
        Map<String, AcmeHost> asking = new HashMap<>();
        hosts.forEach((name, host) -> asking.put(CertificateId.of(name).text(), host));
        Map<String, Seen> now = new HashMap<>();
        List<News> news = new ArrayList<>();
        for (Kept kept : keeper.certificates()) {
            String id = kept.id().text();
            Seen is = Seen.of(kept);
            Seen was = seen.getOrDefault(id, Seen.NOTHING);
            now.put(id, is);
            AcmeHost host = asking.get(id);
            if (!led || host == null) {
                continue;
            }
            if (!is.serial().isEmpty() && !is.serial().equals(was.serial())) {
                news.add(new News(host.ingress(), host.host().text(), ISSUED, issued(kept, host)));
            } else if (is.ordered() && !was.ordered()) {
                news.add(
                        new News(
                                host.ingress(),
                                host.host().text(),
                                ORDERED,
                                host.host().text()
                                        + ": ordered from "
                                        + kept.orderedAt().orElse("a CA")
                                        + ": "
                                        + kept.plan().why().text()));
            }
        }
        seen = now;
        led = true;
        return news;
    }

    private static String issued(Kept kept, AcmeHost host) {
        Optional<CurrentCertificate> current = kept.current();
        return host.host().text()
                + ": "
                + current.map(CurrentCertificate::issuer).orElse("a CA")
                + " issued a certificate, serial "
                + kept.serial()
                + current.map(it -> ", valid until " + it.notAfter()).orElse("")
                + (kept.plan() instanceof RenewalPlan.Keep(_, Instant until, Why why)
                        ? "; it is renewed at " + until + ": " + why.text()
                        : "");
    }
}
