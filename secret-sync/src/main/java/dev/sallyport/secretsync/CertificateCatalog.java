package dev.sallyport.secretsync;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.finding.Severity;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateJudgement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of all Secrets that somebody refers to.
 *
 * <p>The rule of what is in service, in order:
 *
 * <ol>
 *   <li>An update that cannot be used (garbage, mismatched, empty, too large) changes nothing.
 *   <li>An update that is not valid yet waits for its time, unless what is served has expired or
 *       there is nothing to serve: a gateway whose clock is wrong must not fall silent.
 *   <li>A deleted Secret changes nothing as long as somebody refers to it.
 *   <li>Otherwise the newest one is served, expired or not: clients decide, and with the old one
 *       they would decide the same.
 * </ol>
 *
 * <p>A Secret is parsed when it is first referred to, and again only when its contents change: with
 * equal contents the bundle and {@code since} stay the same objects. Confined to the reconciler's
 * thread.
 */
public final class CertificateCatalog {
    /** How often remarks that depend on the time are looked at again. */
    private static final Duration SWEEP = Duration.ofHours(1);

    private final CertificateReader reader;
    private final InstantSource time;
    private final Map<ObjectRef, Entry> entries = new HashMap<>();
    private final TreeMap<Instant, Set<ObjectRef>> schedule = new TreeMap<>();
    private Instant nextSweep;

    /**
     * An empty catalog.
     *
     * @param reader parses PEM
     * @param time for validity and for the time of loading
     */
    public CertificateCatalog(CertificateReader reader, InstantSource time) {
        this.reader = reader;
        this.time = time;
        this.nextSweep = time.instant().plus(SWEEP);
    }

    /**
     * A Secret was made or changed.
     *
     * @return whether the status of a Secret changed that somebody refers to
     */
    public boolean put(SecretMaterial material) {
        Entry entry = entries.computeIfAbsent(material.secret(), Entry::new);
        entry.latest = material;
        return entry.referenced && refresh(entry);
    }

    /**
     * A Secret was deleted.
     *
     * @return whether the status of a Secret changed that somebody refers to
     */
    public boolean remove(ObjectRef secret) {
        Entry entry = entries.get(secret);
        if (entry == null) {
            return false;
        }
        entry.latest = null;
        if (!entry.referenced) {
            forget(entry);
            return false;
        }
        return refresh(entry);
    }

    /** The certificate of a Secret that somebody refers to, from now on at the latest. */
    public CertificateStatus status(ObjectRef secret) {
        Entry entry = entries.computeIfAbsent(secret, Entry::new);
        if (!entry.referenced) {
            entry.referenced = true;
            refresh(entry);
        }
        return entry.status;
    }

    /** Nobody refers to the Secret any more. What was parsed is kept while the Secret exists. */
    public void release(ObjectRef secret) {
        Entry entry = entries.get(secret);
        if (entry != null) {
            entry.referenced = false;
            if (entry.latest == null) {
                forget(entry);
            }
        }
    }

    /** The Secrets whose status changed only because time went by. */
    public Set<ObjectRef> advance() {
        Instant now = time.instant();
        Set<ObjectRef> due = new HashSet<>();
        while (!schedule.isEmpty() && !schedule.firstKey().isAfter(now)) {
            due.addAll(schedule.pollFirstEntry().getValue());
        }
        if (!now.isBefore(nextSweep)) {
            nextSweep = now.plus(SWEEP);
            due.addAll(entries.keySet());
        }
        due.removeIf(secret -> {
            Entry entry = entries.get(secret);
            return entry == null || !entry.referenced || !refresh(entry);
        });
        return due;
    }

    /** When {@link #advance} is to be called next. */
    public Instant nextChange() {
        Instant sweep = nextSweep;
        return schedule.isEmpty() || sweep.isBefore(schedule.firstKey())
                ? sweep
                : schedule.firstKey();
    }

    private boolean refresh(Entry entry) {
        Instant now = time.instant();
        SecretMaterial latest = entry.latest;
        if (latest != null && !latest.digest().equals(entry.parsedDigest)) {
            latest.take().ifPresent(pem -> parse(entry, pem, latest.digest()));
        }
        choose(entry, now);
        reschedule(entry, now);
        CertificateStatus before = entry.status;
        entry.status =
                new CertificateStatus(
                        latest != null, Optional.ofNullable(entry.served), remarks(entry, now));
        return !before.equals(entry.status);
    }

    private void parse(Entry entry, SecretMaterial.Pem pem, String digest) {
        Parsed<CertificateBundle> parsed;
        try {
            parsed = reader.read(entry.secret, pem.certificate(), pem.key());
        } finally {
            Arrays.fill(pem.key(), (byte) 0);
        }
        entry.parsedDigest = digest;
        entry.parseFindings = parsed.findings();
        entry.candidate =
                switch (parsed) {
                    case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) -> bundle;
                    case Parsed.Rejected<CertificateBundle> _ -> null;
                };
    }

    private static void choose(Entry entry, Instant now) {
        CertificateBundle candidate = entry.candidate;
        if (candidate == null || entry.serves(candidate)) {
            return;
        }
        ServedCertificate served = entry.served;
        boolean due = !candidate.notBefore().isAfter(now);
        if (due || served == null || served.bundle().notAfter().isBefore(now)) {
            entry.served =
                    new ServedCertificate(
                            candidate,
                            entry.secret,
                            now,
                            CertificateJudgement.temporary(candidate));
        }
    }

    private void reschedule(Entry entry, Instant now) {
        unschedule(entry);
        Instant next = null;
        if (entry.candidate != null) {
            next = earlierFuture(next, entry.candidate.notBefore(), now);
        }
        if (entry.served != null) {
            next = earlierFuture(next, entry.served.bundle().notAfter().plusMillis(1), now);
        }
        if (next != null) {
            entry.scheduled = next;
            schedule.computeIfAbsent(next, _ -> new HashSet<>()).add(entry.secret);
        }
    }

    private static @Nullable Instant earlierFuture(
            @Nullable Instant chosen, Instant other, Instant now) {
        return other.isAfter(now) && (chosen == null || other.isBefore(chosen)) ? other : chosen;
    }

    private void unschedule(Entry entry) {
        if (entry.scheduled != null) {
            Set<ObjectRef> sameTime = schedule.get(entry.scheduled);
            if (sameTime != null) {
                sameTime.remove(entry.secret);
                if (sameTime.isEmpty()) {
                    schedule.remove(entry.scheduled);
                }
            }
            entry.scheduled = null;
        }
    }

    private static List<Finding> remarks(Entry entry, Instant now) {
        List<Finding> remarks = new ArrayList<>();
        ServedCertificate served = entry.served;
        SecretMaterial latest = entry.latest;
        if (latest == null) {
            if (served != null) {
                remarks.add(
                        Finding.of(
                                Reason.SECRET_DELETED,
                                entry.secret,
                                "the Secret is gone; " + stays(served.bundle()),
                                "Restore the Secret, or remove the tls section that names it."));
            }
        } else if (entry.candidate == null) {
            addKept(remarks, entry.parseFindings, served);
        } else {
            remarks.addAll(entry.parseFindings);
            if (!entry.serves(entry.candidate)) {
                addKept(
                        remarks,
                        CertificateJudgement.of(entry.candidate, entry.secret, List.of(), now),
                        served);
            }
        }
        if (served != null) {
            remarks.addAll(CertificateJudgement.of(served.bundle(), entry.secret, List.of(), now));
        }
        return remarks.stream()
                .distinct()
                .map(finding ->
                        latest == null || finding.location().isPresent()
                                ? finding
                                : latest.location().map(finding::at).orElse(finding))
                .toList();
    }

    /** Adds what speaks against an update; an error says what is served instead. */
    private static void addKept(
            List<Finding> remarks, List<Finding> against, @Nullable ServedCertificate served) {
        for (Finding finding : against) {
            if (served == null || finding.severity() != Severity.ERROR) {
                remarks.add(finding);
            } else {
                remarks.add(
                        new Finding(
                                finding.reason(),
                                finding.object(),
                                finding.location(),
                                finding.message() + "; " + stays(served.bundle()),
                                finding.advice()));
            }
        }
    }

    private static String stays(CertificateBundle bundle) {
        return "the certificate with serial "
                + bundle.serial()
                + ", valid until "
                + bundle.notAfter()
                + ", stays in service";
    }

    private void forget(Entry entry) {
        unschedule(entry);
        entries.remove(entry.secret);
    }

    /** One Secret. */
    private static final class Entry {
        final ObjectRef secret;
        boolean referenced;
        @Nullable SecretMaterial latest; // null: there is no such Secret
        @Nullable String parsedDigest;
        @Nullable CertificateBundle candidate; // from the last contents parsed; null: rejected
        List<Finding> parseFindings = List.of();
        @Nullable ServedCertificate served;
        @Nullable Instant scheduled;
        CertificateStatus status = CertificateStatus.MISSING;

        Entry(ObjectRef secret) {
            this.secret = secret;
        }

        boolean serves(CertificateBundle bundle) {
            return served != null && served.bundle() == bundle;
        }
    }
}
