package dev.sallyport.proxy;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that what is put in service can be served: new bundles are tried with the native
 * library, and a host whose bundle is refused keeps the certificates it had. Works on what changed
 * between two tables, so that a rotation costs the same among ten hosts or a hundred thousand.
 *
 * <p>Confined to the thread that applies snapshots.
 */
final class ServableCertificates {
    /**
     * How long trying may take for one snapshot: some thousand bundles. Those beyond are served
     * untried, since a start with very many must not wait; the parser has proven them already.
     */
    private static final Duration BUDGET = Duration.ofMillis(500);

    private final Function<ServedCertificate, Optional<Finding>> refusal;
    private final Consumer<CertificateBundle> forget;
    private final Ticker ticker;
    private final Map<Hostname, Optional<CertificateSet>> substitutes = new HashMap<>();
    private final Map<CertificateBundle, Finding> refused = new HashMap<>();
    private final Map<CertificateBundle, Integer> uses = new HashMap<>();
    private CertificateTable intent = CertificateTable.EMPTY;
    private CertificateTable served = CertificateTable.EMPTY;

    /**
     * @param refusal why the native library would not serve a certificate, if so
     * @param forget is told of bundles that no table holds any more
     */
    ServableCertificates(
            Function<ServedCertificate, Optional<Finding>> refusal,
            Consumer<CertificateBundle> forget,
            Ticker ticker) {
        this.refusal = refusal;
        this.forget = forget;
        this.ticker = ticker;
    }

    /** What can be served of {@code wanted}; the same object where that is all of it. */
    @SuppressWarnings("ReferenceEquality") // unchanged parts of a snapshot keep their identity
    CertificateTable serve(CertificateTable wanted) {
        if (wanted == intent) {
            return served;
        }
        long deadline = ticker.nanoTime() + BUDGET.toNanos();
        List<CertificateBundle> dropped = new ArrayList<>();
        HostTable<CertificateSet> before = intent.hosts();
        wanted.hosts()
                .forEachChange(
                        before,
                        (name, set) -> {
                            substitutes.remove(name);
                            CertificateSet old = before.get(name);
                            if (set != null) {
                                count(set, 1, dropped);
                            }
                            if (old != null) {
                                count(old, -1, dropped);
                            }
                            if (set != null) {
                                substitute(name, set, deadline);
                            }
                        });
        Optional<CertificateSet> fallback = wanted.fallback();
        if (!fallback.equals(intent.fallback())) {
            fallback.ifPresent(set -> count(set, 1, dropped));
            intent.fallback().ifPresent(set -> count(set, -1, dropped));
        }
        if (fallback.isPresent()) {
            CertificateSet good = usable(fallback.get(), served.fallback().orElse(null), deadline);
            fallback = Optional.ofNullable(good);
        }
        HostTable<CertificateSet> hosts = withSubstitutes(wanted.hosts());
        intent = wanted;
        served =
                hosts == wanted.hosts() && fallback.equals(wanted.fallback())
                        ? wanted
                        : new CertificateTable(hosts, fallback);
        for (CertificateBundle bundle : dropped) {
            if (!uses.containsKey(bundle)) {
                refused.remove(bundle);
                forget.accept(bundle);
            }
        }
        return served;
    }

    /** Why bundles of the table last given are not served. */
    List<Finding> findings() {
        return List.copyOf(refused.values());
    }

    private void substitute(Hostname name, CertificateSet set, long deadline) {
        CertificateSet good = usable(set, served.hosts().get(name), deadline);
        if (!set.equals(good)) {
            // Empty where nothing can be served and there was nothing before: the default is shown.
            substitutes.put(name, Optional.ofNullable(good));
        }
    }

    /** {@code set}, or what is left of it, or the last good one; null where there is none. */
    private @Nullable CertificateSet usable(
            CertificateSet set, @Nullable CertificateSet lastGood, long deadline) {
        List<ServedCertificate> good = new ArrayList<>();
        for (ServedCertificate certificate : set.certificates()) {
            if (!isRefused(certificate, deadline)) {
                good.add(certificate);
            }
        }
        if (good.size() == set.certificates().size()) {
            return set;
        }
        return good.isEmpty() ? lastGood : CertificateSet.of(good);
    }

    private boolean isRefused(ServedCertificate certificate, long deadline) {
        CertificateBundle bundle = certificate.bundle();
        if (refused.containsKey(bundle)) {
            return true;
        }
        boolean known = uses.getOrDefault(bundle, 0) > 1;
        if (known || ticker.nanoTime() - deadline > 0) {
            return false;
        }
        Optional<Finding> found = refusal.apply(certificate);
        found.ifPresent(finding -> refused.put(bundle, finding));
        return found.isPresent();
    }

    private HostTable<CertificateSet> withSubstitutes(HostTable<CertificateSet> hosts) {
        if (substitutes.isEmpty()) {
            return hosts;
        }
        Map<Hostname, @Nullable CertificateSet> changes = new HashMap<>();
        substitutes.forEach((name, set) -> changes.put(name, set.orElse(null)));
        return hosts.with(changes);
    }

    private void count(CertificateSet set, int change, List<CertificateBundle> dropped) {
        for (ServedCertificate certificate : set.certificates()) {
            CertificateBundle bundle = certificate.bundle();
            Integer now =
                    uses.merge(
                            bundle,
                            change,
                            (was, by) -> was + by == 0 ? null : Integer.valueOf(was + by));
            if (now == null) {
                dropped.add(bundle);
            }
        }
    }
}
