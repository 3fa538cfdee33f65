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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that what is put in service can be served: new bundles are tried with the native
 * library, and a host whose bundle is refused keeps the certificates it had. Works on what changed
 * between two tables, so that a rotation costs the same among ten hosts or a hundred thousand.
 *
 * <p>A start with very many must not wait: those for which there is no time are served untried, as
 * the parser has proven them already, and tried piece by piece by {@link #proceed}; until then the
 * certificates that they replaced are kept in reserve.
 *
 * <p>Confined to the thread that applies snapshots.
 */
final class ServableCertificates {
    /** How long trying may take for one table: some thousand bundles. */
    private static final Duration BUDGET = Duration.ofMillis(500);

    /** How long it may take at a time afterwards. */
    private static final Duration PIECE = Duration.ofMillis(20);

    private final Function<ServedCertificate, Optional<Finding>> refusal;
    private final Consumer<CertificateBundle> forget;
    private final Ticker ticker;
    private final Map<Hostname, Optional<CertificateSet>> substitutes = new HashMap<>();
    private final Map<CertificateBundle, Finding> refused = new HashMap<>();

    /** How often a bundle stands in the table last given, or in reserve. */
    private final Map<CertificateBundle, Integer> uses = new HashMap<>();

    private final SequencedMap<CertificateBundle, ServedCertificate> untried =
            new LinkedHashMap<>();

    /** The reserve: what hosts had before what is refused or not tried yet. */
    private final Map<Hostname, CertificateSet> lastGood = new HashMap<>();

    /** The reserve of the default. */
    private @Nullable CertificateSet lastGoodFallback;

    /** Bundles that were refused since the last {@link #settle}. */
    private final Set<CertificateBundle> newlyRefused = new HashSet<>();

    /** Bundles that were in no use at some time since the last {@link #forgetDropped}. */
    private final List<CertificateBundle> dropped = new ArrayList<>();

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
        boolean leftOver = hasUntried();
        // First what strangers are shown: it has the whole budget.
        Optional<CertificateSet> fallback =
                changeFallback(intent.fallback(), wanted.fallback(), deadline);
        HostTable<CertificateSet> hosts = intent.hosts();
        wanted.hosts()
                .forEachChange(hosts, (name, set) -> change(name, hosts.get(name), set, deadline));
        forgetChallenges(intent.challenges(), wanted.challenges());
        intent = wanted;
        if (leftOver) { // which may have been tried here, for somebody else
            settle(deadline);
            fallback = substituteFallback(wanted.fallback(), deadline);
        }
        newlyRefused.clear();
        served = table(fallback);
        forgetDropped();
        return served;
    }

    /** They are needed for some seconds and seldom: nobody tries them before. */
    private void forgetChallenges(
            Map<String, CertificateSet> before, Map<String, CertificateSet> now) {
        before.forEach((name, set) -> {
            if (!set.equals(now.get(name))) {
                set.certificates().forEach(certificate -> forget.accept(certificate.bundle()));
            }
        });
    }

    /** Whether bundles are served that were not tried. */
    boolean hasUntried() {
        return !untried.isEmpty();
    }

    /**
     * Tries some of them, for a moment.
     *
     * @return what can be served now; the same object as before where that has not changed
     */
    CertificateTable proceed() {
        long deadline = ticker.nanoTime() + PIECE.toNanos();
        while (!untried.isEmpty() && ticker.nanoTime() - deadline < 0) {
            boolean _ = isRefused(untried.firstEntry().getValue(), deadline);
        }
        boolean changed = !newlyRefused.isEmpty();
        settle(deadline);
        Optional<CertificateSet> fallback = substituteFallback(intent.fallback(), deadline);
        if (changed) {
            served = table(fallback);
        }
        forgetDropped();
        return served;
    }

    /** Why bundles of the table last given are not served. */
    List<Finding> findings() {
        return List.copyOf(refused.values());
    }

    /** Decides anew for hosts with what was refused lately, or with a reserve needed no more. */
    private void settle(long deadline) {
        Set<Hostname> names = new HashSet<>();
        if (!newlyRefused.isEmpty()) {
            intent.hosts()
                    .forEach((name, set) -> {
                        if (holds(set, newlyRefused) || holds(lastGood.get(name), newlyRefused)) {
                            names.add(name);
                        }
                    });
            newlyRefused.clear();
        }
        if (untried.isEmpty()) {
            names.addAll(lastGood.keySet()); // most are kept in reserve for nothing now
        }
        for (Hostname name : names) {
            CertificateSet set = intent.hosts().get(name);
            if (set != null) {
                substitute(name, set, deadline);
            }
        }
    }

    private void change(
            Hostname name,
            @Nullable CertificateSet old,
            @Nullable CertificateSet set,
            long deadline) {
        if (set == null) {
            substitutes.remove(name);
            release(name);
        } else {
            count(set, 1);
            CertificateSet present = served.hosts().get(name);
            if (present != null) {
                keep(name, present);
            }
            substitute(name, set, deadline);
        }
        if (old != null) {
            count(old, -1);
        }
    }

    /** Decides what is served for {@code name}, and whether what was before is still needed. */
    private void substitute(Hostname name, CertificateSet set, long deadline) {
        CertificateSet good = usable(set, deadline);
        if (good == null) {
            CertificateSet last = lastGood.get(name);
            // Empty where nothing can be served and there was nothing before: the default is shown.
            substitutes.put(
                    name, Optional.ofNullable(last == null ? null : usable(last, deadline)));
            return;
        }
        if (good.equals(set)) {
            substitutes.remove(name);
        } else {
            substitutes.put(name, Optional.of(good));
        }
        if (!holds(set, untried.keySet())) {
            release(name);
        }
    }

    /** As {@link #change}, for the default. */
    private Optional<CertificateSet> changeFallback(
            Optional<CertificateSet> old, Optional<CertificateSet> wanted, long deadline) {
        if (wanted.equals(old)) {
            return substituteFallback(wanted, deadline);
        }
        wanted.ifPresent(set -> count(set, 1));
        served.fallback()
                .ifPresent(present -> lastGoodFallback = reserve(lastGoodFallback, present));
        Optional<CertificateSet> fallback = substituteFallback(wanted, deadline);
        old.ifPresent(set -> count(set, -1));
        return fallback;
    }

    /** As {@link #substitute}, for the default. */
    private Optional<CertificateSet> substituteFallback(
            Optional<CertificateSet> wanted, long deadline) {
        CertificateSet good = wanted.map(set -> usable(set, deadline)).orElse(null);
        if (good == null && wanted.isPresent()) {
            return Optional.ofNullable(lastGoodFallback).map(set -> usable(set, deadline));
        }
        if (lastGoodFallback != null && !holds(wanted.orElse(null), untried.keySet())) {
            count(lastGoodFallback, -1);
            lastGoodFallback = null;
        }
        return Optional.ofNullable(good);
    }

    /** {@code set}, or what is left of it; null where nothing is. */
    private @Nullable CertificateSet usable(CertificateSet set, long deadline) {
        List<ServedCertificate> good = new ArrayList<>();
        for (ServedCertificate certificate : set.certificates()) {
            if (!isRefused(certificate, deadline)) {
                good.add(certificate);
            }
        }
        if (good.size() == set.certificates().size()) {
            return set;
        }
        return good.isEmpty() ? null : CertificateSet.of(good);
    }

    private boolean isRefused(ServedCertificate certificate, long deadline) {
        CertificateBundle bundle = certificate.bundle();
        if (untried.containsKey(bundle) && ticker.nanoTime() - deadline <= 0) {
            untried.remove(bundle);
            refusal.apply(certificate)
                    .ifPresent(finding -> {
                        refused.put(bundle, finding);
                        newlyRefused.add(bundle);
                    });
        }
        return refused.containsKey(bundle);
    }

    @SuppressWarnings("ReferenceEquality") // unchanged parts of a snapshot keep their identity
    private CertificateTable table(Optional<CertificateSet> fallback) {
        HostTable<CertificateSet> hosts = withSubstitutes(intent.hosts());
        return hosts == intent.hosts() && fallback.equals(intent.fallback())
                ? intent
                : new CertificateTable(hosts, fallback, intent.challenges());
    }

    private HostTable<CertificateSet> withSubstitutes(HostTable<CertificateSet> hosts) {
        if (substitutes.isEmpty()) {
            return hosts;
        }
        Map<Hostname, @Nullable CertificateSet> changes = new HashMap<>();
        substitutes.forEach((name, set) -> changes.put(name, set.orElse(null)));
        return hosts.with(changes);
    }

    private void keep(Hostname name, CertificateSet present) {
        lastGood.put(name, reserve(lastGood.get(name), present));
    }

    /** What to keep of two: the newer one, if it is known to be good or there is no other. */
    private CertificateSet reserve(@Nullable CertificateSet last, CertificateSet present) {
        if (last != null
                && (holds(present, untried.keySet()) || holds(present, refused.keySet()))) {
            return last;
        }
        count(present, 1);
        if (last != null) {
            count(last, -1);
        }
        return present;
    }

    private void release(Hostname name) {
        CertificateSet last = lastGood.remove(name);
        if (last != null) {
            count(last, -1);
        }
    }

    private static boolean holds(@Nullable CertificateSet set, Set<CertificateBundle> bundles) {
        return set != null
                && !bundles.isEmpty()
                && set.certificates().stream()
                        .anyMatch(certificate -> bundles.contains(certificate.bundle()));
    }

    private void count(CertificateSet set, int change) {
        for (ServedCertificate certificate : set.certificates()) {
            CertificateBundle bundle = certificate.bundle();
            Integer now =
                    uses.merge(
                            bundle,
                            change,
                            (was, by) -> was + by == 0 ? null : Integer.valueOf(was + by));
            if (now == null) {
                dropped.add(bundle);
            } else if (now == 1 && change == 1) {
                untried.put(bundle, certificate);
            }
        }
    }

    private void forgetDropped() {
        for (CertificateBundle bundle : dropped) {
            if (!uses.containsKey(bundle)) {
                refused.remove(bundle);
                untried.remove(bundle);
                forget.accept(bundle);
            }
        }
        dropped.clear();
    }
}
