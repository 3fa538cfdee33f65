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
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What goes well, as news of the Ingresses that ask: ordered, challenged, validated, issued, and
 * when it is renewed. What was so when this replica began to lead is no news. Confined to one
 * thread.
 */
final class AcmeProgress {
    /** There is a certificate. */
    static final String ISSUED = "AcmeIssued";

    /** What is told of an order that is under way; the newest where several are passed at once. */
    private enum Step {
        ORDERED(Station.ORDERED, "AcmeOrdered"),
        CHALLENGED(Station.CHALLENGED, "AcmeChallenged"),
        VALIDATED(Station.VALIDATED, "AcmeValidated");

        private final Station station;
        private final String reason;

        Step(Station station, String reason) {
            this.station = station;
            this.reason = reason;
        }

        /** The last one before or at a station. */
        static Optional<Step> at(Station station) {
            return Stream.of(values())
                    .filter(step -> step.station.compareTo(station) <= 0)
                    .max(Comparator.naturalOrder());
        }

        String text(Kept kept) {
            String ca = kept.orderedAt().orElse("a CA");
            return switch (this) {
                case ORDERED -> "ordered from " + ca + ": " + kept.plan().why().text();
                case CHALLENGED -> "the gateway answers the challenge, and " + ca + " is to look";
                case VALIDATED -> ca + " has found the answer, and is to sign";
            };
        }
    }

    private Map<String, Seen> seen = Map.of();
    private boolean led;

    /**
     * How it stood with a certificate.
     *
     * @param serial empty without one
     * @param step how far its order is
     */
    private record Seen(String serial, Optional<Step> step) {
        static final Seen NOTHING = new Seen("", Optional.empty());

        static Seen of(Kept kept) {
            return new Seen(kept.serial(), kept.underWay().flatMap(Step::at));
        }

        /** What is to be told of its order. */
        Optional<Step> since(Seen before) {
            return step.filter(now -> before.step.filter(was -> was.compareTo(now) >= 0).isEmpty());
        }
    }

    /** What happened since the last call. */
    List<News> news(KeeperState keeper, ShardedMap<Hostname, AcmeHost> hosts) {
        if (!keeper.leads()) {
            led = false;
            return List.of();
        }
        if (!led && !keeper.known()) {
            return List.of(); // what was so before is not known yet
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
            } else {
                is.since(was)
                        .map(step ->
                                new News(
                                        host.ingress(),
                                        host.host().text(),
                                        step.reason,
                                        host.host().text() + ": " + step.text(kept)))
                        .ifPresent(news::add);
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
