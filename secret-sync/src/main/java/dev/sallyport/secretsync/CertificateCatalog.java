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
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of all Secrets that somebody refers to, or did while they exist.
 *
 * <p>The rule of what is in service, in order:
 *
 * <ol>
 *   <li>An update that cannot be used (garbage, mismatched, empty, too large) changes nothing.
 *   <li>An update that is not valid yet waits for its time, unless what is served is not valid
 *       either (expired, or of the future too) or there is nothing to serve: a gateway whose clock
 *       is wrong must neither fall silent nor miss its renewals.
 *   <li>A temporary certificate does not take the place of a real one that is still valid: it was
 *       made because the Secret was lost or broken, not because the real one had to go.
 *   <li>A deleted Secret changes nothing as long as somebody refers to it.
 *   <li>Otherwise the newest one is served, expired or not: it is what the owner asks for. What is
 *       wrong with it is reported.
 * </ol>
 *
 * <p>A Secret is parsed when it is first referred to, and again only when its contents change: with
 * equal contents the bundle and {@code since} stay the same objects, also where unusable contents
 * were there meanwhile. Nothing but the PEM of Secrets that nobody has referred to yet is held
 * unread, until {@link #forgetUnread}. Remarks that depend on the time are made again when the
 * clock was set, in either direction. Confined to the reconciler's thread, which waits for the
 * parsers.
 */
public final class CertificateCatalog {
    /** How often remarks that depend on the time are looked at again. */
    private static final Duration SWEEP = Duration.ofHours(1);

    /** By how much a clock may be set back before that makes a difference to anybody. */
    private static final Duration JITTER = Duration.ofMinutes(1);

    private final CertificateReader reader;
    private final Executor parsers;
    private final InstantSource time;
    private final Map<ObjectRef, Entry> entries = new HashMap<>();
    private final TreeMap<Instant, Set<ObjectRef>> schedule = new TreeMap<>();
    private Set<ObjectRef> touched = new HashSet<>();
    private Instant nextSweep;
    private Instant latestSeen; // the clock may since have been set back

    /**
     * An empty catalog.
     *
     * @param reader parses PEM; safe from several threads at once
     * @param parsers runs {@code reader} where there is more than one Secret to parse; the caller
     *     waits for it
     * @param time for validity and for the time of loading
     */
    public CertificateCatalog(CertificateReader reader, Executor parsers, InstantSource time) {
        this.reader = reader;
        this.parsers = parsers;
        this.time = time;
        this.latestSeen = time.instant();
        this.nextSweep = latestSeen.plus(SWEEP);
    }

    /**
     * A Secret was made or changed.
     *
     * @return whether the status of a Secret changed that somebody refers to
     */
    public boolean put(SecretMaterial material) {
        Entry entry = entries.computeIfAbsent(material.secret(), Entry::new);
        entry.latest = material;
        boolean changed = (entry.referenced || entry.parsed != null) && refresh(entry);
        return entry.referenced && changed;
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

    /**
     * Parses all of these Secrets side by side that {@link #status} would parse one by one: proving
     * that a key belongs to its certificate takes most of the time of a start with many hosts.
     */
    public void prepare(Collection<ObjectRef> secrets) {
        List<SecretMaterial> unread = new ArrayList<>();
        for (ObjectRef secret : secrets) {
            Entry entry = entries.get(secret);
            SecretMaterial latest = entry == null ? null : entry.latest;
            if (entry != null && latest != null && !latest.digest().equals(entry.parsedDigest)) {
                unread.add(latest);
            }
        }
        if (unread.size() > 1) {
            unread.stream()
                    .map(material ->
                            CompletableFuture.supplyAsync(() -> material.parsed(reader), parsers))
                    .toList()
                    .forEach(CompletableFuture::join);
        }
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

    /**
     * Nobody refers to the Secret any more. What was parsed is kept while the Secret exists, and
     * kept up to date: whoever refers to it again, be it after a moment in which nobody did, gets
     * it at once.
     */
    public void release(ObjectRef secret) {
        Entry entry = entries.get(secret);
        if (entry != null) {
            entry.referenced = false;
            touched.add(secret);
            if (entry.latest == null) {
                forget(entry);
            }
        }
    }

    /**
     * Forgets a Secret that nobody has referred to yet, and wipes its PEM. Whoever puts it again
     * later has to have read it again.
     *
     * @return whether nothing is known of it now; false where somebody refers to it, or did
     */
    public boolean forgetUnread(ObjectRef secret) {
        Entry entry = entries.get(secret);
        if (entry == null) {
            return true;
        }
        if (entry.referenced || entry.parsed != null) {
            return false;
        }
        if (entry.latest != null) {
            entry.latest.wipe();
        }
        forget(entry);
        return true;
    }

    /** The Secrets whose status changed only because time went by, or because the clock was set. */
    public Set<ObjectRef> advance() {
        Instant now = time.instant();
        boolean sweep = !now.isBefore(nextSweep) || wasSetBack(now);
        Set<ObjectRef> due = new HashSet<>();
        while (!schedule.isEmpty() && !schedule.firstKey().isAfter(now)) {
            due.addAll(schedule.pollFirstEntry().getValue());
        }
        latestSeen = sweep || now.isAfter(latestSeen) ? now : latestSeen;
        if (sweep) {
            nextSweep = now.plus(SWEEP);
            due.addAll(entries.keySet());
        }
        due.removeIf(secret -> {
            Entry entry = entries.get(secret);
            return entry == null || !entry.referenced || !refresh(entry);
        });
        return due;
    }

    /**
     * The Secrets whose {@link #standing} may have changed since the last call. More than those of
     * which {@link #put}, {@link #remove} and {@link #advance} tell: an object's version goes on
     * without its contents when somebody labels it.
     */
    public Set<ObjectRef> takeTouched() {
        Set<ObjectRef> taken = touched;
        touched = new HashSet<>();
        return taken;
    }

    /** How what is in service stands to the Secret; empty where nobody refers to it. */
    public Optional<SecretStanding> standing(ObjectRef secret) {
        Entry entry = entries.get(secret);
        return entry == null || !entry.referenced
                ? Optional.empty()
                : Optional.of(entry.standing());
    }

    /** When {@link #advance} is to be called next. */
    public Instant nextChange() {
        Instant now = time.instant();
        if (wasSetBack(now)) {
            return now.minus(JITTER); // overdue, whenever the caller looked at the clock
        }
        Instant sweep = nextSweep;
        return schedule.isEmpty() || sweep.isBefore(schedule.firstKey())
                ? sweep
                : schedule.firstKey();
    }

    private boolean wasSetBack(Instant now) {
        return now.isBefore(latestSeen.minus(JITTER));
    }

    private boolean refresh(Entry entry) {
        touched.add(entry.secret);
        Instant now = time.instant();
        SecretMaterial latest = entry.latest;
        if (latest != null) {
            entry.parse(latest, reader);
        } else {
            entry.stopWaiting();
        }
        choose(entry, now);
        reschedule(entry, now);
        CertificateStatus before = entry.status;
        entry.status =
                new CertificateStatus(
                        latest != null, Optional.ofNullable(entry.served), remarks(entry, now));
        return !before.equals(entry.status);
    }

    private static void choose(Entry entry, Instant now) {
        CertificateBundle candidate = entry.candidate();
        if (candidate == null || entry.serves(candidate)) {
            return;
        }
        ServedCertificate served = entry.served;
        boolean temporary = CertificateJudgement.temporary(candidate);
        if (served == null
                || served.bundle().notAfter().isBefore(now)
                || (isDue(candidate, served, now) && (!temporary || served.temporary()))) {
            entry.serve(candidate, now);
        }
    }

    /** A clock that calls both of the future is wrong: nobody waits for it. */
    private static boolean isDue(
            CertificateBundle candidate, ServedCertificate served, Instant now) {
        return !candidate.notBefore().isAfter(now) || served.bundle().notBefore().isAfter(now);
    }

    private void reschedule(Entry entry, Instant now) {
        unschedule(entry);
        Instant next = null;
        CertificateBundle candidate = entry.candidate();
        if (candidate != null) {
            next = earlierFuture(next, candidate.notBefore(), now);
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
        } else {
            switch (entry.parsed) {
                case null -> {}
                case Parsed.Rejected<CertificateBundle>(List<Finding> why) ->
                        addKept(remarks, why, served);
                case Parsed.Usable<CertificateBundle>(_, List<Finding> findings) ->
                        remarks.addAll(findings);
            }
            CertificateBundle candidate = entry.candidate();
            if (candidate != null && !entry.serves(candidate)) {
                addKept(remarks, CertificateJudgement.of(candidate, entry.secret, now), served);
            }
        }
        if (served != null) {
            remarks.addAll(CertificateJudgement.of(served.bundle(), entry.secret, now));
        }
        return remarks.stream()
                .distinct()
                .map(finding ->
                        latest == null || finding.location().isPresent()
                                ? finding
                                : latest.location().map(finding::at).orElse(finding))
                .toList();
    }

    /** Adds what speaks against an update, and what is served instead. */
    private static void addKept(
            List<Finding> remarks, List<Finding> against, @Nullable ServedCertificate served) {
        for (Finding finding : against) {
            boolean decisive =
                    finding.severity() == Severity.ERROR
                            || finding.reason() == Reason.CERTIFICATE_TEMPORARY;
            if (served == null || !decisive) {
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
        @Nullable Parsed<CertificateBundle> parsed; // the last contents
        @Nullable Usable usable; // the last that were; may wait for their time
        String usableVersion = ""; // the newest of the object with these contents
        @Nullable ServedCertificate served;
        String servedVersion = "";
        @Nullable Instant scheduled;
        CertificateStatus status = CertificateStatus.MISSING;

        Entry(ObjectRef secret) {
            this.secret = secret;
        }

        /** Contents that came to a bundle. */
        private record Usable(String digest, Parsed.Usable<CertificateBundle> parsed) {}

        /** Equal contents stay the same bundle. */
        void parse(SecretMaterial material, CertificateReader reader) {
            Parsed<CertificateBundle> known = known(material.digest());
            if (known != null) {
                material.resolve(known);
            }
            parsed = known != null ? known : material.parsed(reader);
            parsedDigest = material.digest();
            if (parsed instanceof Parsed.Usable<CertificateBundle> good) {
                usable = new Usable(parsedDigest, good);
                usableVersion = material.version().resourceVersion();
                if (serves(good.value())) {
                    servedVersion = usableVersion;
                }
            }
        }

        private @Nullable Parsed<CertificateBundle> known(String digest) {
            if (digest.equals(parsedDigest)) {
                return parsed;
            }
            return usable != null && digest.equals(usable.digest()) ? usable.parsed() : null;
        }

        void serve(CertificateBundle bundle, Instant now) {
            served =
                    new ServedCertificate(
                            bundle, secret, now, CertificateJudgement.temporary(bundle));
            servedVersion = usableVersion;
        }

        @Nullable CertificateBundle candidate() {
            return usable == null ? null : usable.parsed().value();
        }

        /** With its Secret goes the certificate that waits for its time. */
        void stopWaiting() {
            CertificateBundle candidate = candidate();
            if (candidate != null && !serves(candidate)) {
                usable = null;
                parsed = null;
            }
        }

        boolean serves(CertificateBundle bundle) {
            return served != null && served.bundle() == bundle;
        }

        SecretStanding standing() {
            return new SecretStanding(
                    Optional.ofNullable(served).map(ServedCertificate::bundle),
                    servedVersion,
                    latest == null ? "" : latest.version().resourceVersion(),
                    againstLatest());
        }

        /** Why the newest contents are not what is served. */
        private Optional<Reason> againstLatest() {
            if (latest == null) {
                return served == null ? Optional.empty() : Optional.of(Reason.SECRET_DELETED);
            }
            return switch (parsed) {
                case null -> Optional.empty();
                case Parsed.Rejected<CertificateBundle>(List<Finding> why) ->
                        why.stream().min(Finding.ORDER).map(Finding::reason);
                case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) ->
                        serves(bundle) ? Optional.empty() : Optional.of(againstUsable(bundle));
            };
        }

        private static Reason againstUsable(CertificateBundle bundle) {
            return CertificateJudgement.temporary(bundle)
                    ? Reason.CERTIFICATE_TEMPORARY
                    : Reason.CERTIFICATE_NOT_YET_VALID;
        }
    }
}
