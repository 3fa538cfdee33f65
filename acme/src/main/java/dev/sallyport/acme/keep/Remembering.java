package dev.sallyport.acme.keep;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.OrderLedger;
import dev.sallyport.acme.store.StoredMemory;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Failures, limits and hosts that are gone, as lines of fields between tabs, and back: a process
 * that starts over and over must not ask CAs for more than one that stays. Where there is more than
 * may be stored, what is closest to a limit and what failed last goes first.
 */
final class Remembering {
    private static final String VERSION = "sallyport-acme-memory\t1";
    private static final int LONGEST_DETAIL = 160;

    private Remembering() {}

    /** What was read. */
    record Read(
            Map<String, List<Failure>> failures,
            Map<String, Instant> gone,
            Map<String, String> revoked,
            int unread) {}

    /** One kind of failure in a row of them. */
    private record Kind(String issuer, CertificateOrder order, String cause) {}

    static StoredMemory write(
            Collection<Entry> entries, OrderLedger ledger, Issuers issuers, Instant now) {
        var text = new StringBuilder(VERSION).append('\n');
        issuers.ordered()
                .forEach(issuer ->
                        text.append(
                                line(
                                        "issuer",
                                        issuer.name(),
                                        issuer.fingerprint(),
                                        issuer.directory().toString())));
        // So that neither takes all of the other's room.
        int half = Math.max(0, (StoredMemory.MOST - text.length()) / 2);
        append(
                text,
                half,
                Stream.concat(
                        ledger.stopped(now).stream()
                                .map(it ->
                                        line(
                                                "stop",
                                                it.issuer(),
                                                it.identifiers(),
                                                millis(it.until()))),
                        ledger.counted(now).stream()
                                .sorted(
                                        Comparator.comparingInt((OrderLedger.Counted it) ->
                                                        it.times().size())
                                                .reversed())
                                .map(it ->
                                        line(
                                                "count",
                                                it.issuer(),
                                                it.limit(),
                                                it.what(),
                                                it.times().stream()
                                                        .map(Remembering::millis)
                                                        .collect(Collectors.joining(" "))))));
        append(
                text,
                half,
                Stream.concat(
                        entries.stream().flatMap(it -> Stream.concat(revoked(it), gone(it))),
                        entries.stream()
                                .filter(it -> !it.failures.isEmpty())
                                .sorted(
                                        Comparator.comparing(
                                                        (Entry it) -> it.failures.getLast().at())
                                                .reversed())
                                .flatMap(Remembering::failures)));
        return new StoredMemory(text.toString());
    }

    private static void append(StringBuilder text, int room, Stream<String> lines) {
        int most = text.length() + room;
        lines.takeWhile(line -> text.length() + line.length() < most).forEach(text::append);
    }

    private static Stream<String> revoked(Entry entry) {
        String serial = entry.revoked;
        return serial == null
                ? Stream.empty()
                : Stream.of(line("revoked", entry.id.text(), serial));
    }

    private static Stream<String> gone(Entry entry) {
        Instant since = entry.goneSince;
        return entry.wish != null || since == null
                ? Stream.empty()
                : Stream.of(line("gone", entry.id.text(), millis(since)));
    }

    /** Each kind once, with how many there were: more is never asked of them. */
    private static Stream<String> failures(Entry entry) {
        Map<Kind, List<Failure>> kinds = new LinkedHashMap<>();
        for (Failure failure : entry.failures) {
            var kind =
                    new Kind(
                            failure.issuer(),
                            failure.order(),
                            failure.cause().getClass().getSimpleName());
            kinds.computeIfAbsent(kind, _ -> new ArrayList<>()).add(failure);
        }
        return kinds.entrySet().stream()
                .map(each -> {
                    Kind kind = each.getKey();
                    Failure last = each.getValue().getLast();
                    Cause cause = last.cause();
                    String detail = cause.detail().replace('\t', ' ').replace('\n', ' ');
                    return line(
                            "fail",
                            entry.id.text(),
                            millis(last.at()),
                            String.valueOf(each.getValue().size()),
                            kind.issuer(),
                            kind.order().key().text(),
                            kind.order().identifierText(),
                            kind.cause(),
                            cause instanceof Cause.RateLimited limited
                                    ? limited.until().map(Remembering::millis).orElse("")
                                    : "",
                            detail.length() > LONGEST_DETAIL
                                    ? detail.substring(0, LONGEST_DETAIL) + "…"
                                    : detail);
                });
    }

    private static String line(String... fields) {
        return String.join("\t", fields) + "\n";
    }

    /** The next one, so that nothing ends too early. */
    private static String millis(Instant at) {
        return String.valueOf(at.toEpochMilli() + 1);
    }

    /** Reads what can be read; the ledger is given its part. */
    static Read read(StoredMemory memory, OrderLedger ledger, Issuers issuers, Instant now) {
        Set<String> unchanged = new HashSet<>();
        Set<String> others = new HashSet<>(); // names that another CA has by now
        Map<String, String> directories = new HashMap<>(); // of those that wrote
        Map<String, List<Failure>> failures = new LinkedHashMap<>();
        Map<String, Instant> gone = new LinkedHashMap<>();
        Map<String, String> revoked = new LinkedHashMap<>();
        List<String> lines = memory.text().lines().toList();
        if (lines.isEmpty() || !lines.getFirst().equals(VERSION)) {
            return new Read(Map.of(), Map.of(), Map.of(), Math.max(1, lines.size()));
        }
        int unread = 0;
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split("\t", -1);
            try {
                switch (fields[0]) {
                    case "issuer" -> {
                        Optional<Issuer> configured = issuers.find(fields[1]);
                        if (configured
                                .filter(it -> it.fingerprint().equals(fields[2]))
                                .isPresent()) {
                            unchanged.add(fields[1]);
                        }
                        if (fields.length > 3) {
                            directories.put(fields[1], fields[3]);
                            configured
                                    .filter(it -> !it.directory().toString().equals(fields[3]))
                                    .ifPresent(_ -> others.add(fields[1]));
                        }
                    }
                    case "stop" -> {
                        if (!others.contains(fields[1])) {
                            ledger.restore(
                                    new OrderLedger.Stopped(
                                            fields[1], fields[2], instant(fields[3])));
                        }
                    }
                    case "count" -> {
                        var counted =
                                new OrderLedger.Counted(
                                        fields[1],
                                        fields[2],
                                        fields[3],
                                        Stream.of(fields[4].split(" "))
                                                .map(it -> past(it, now))
                                                .toList());
                        boolean isThere = issuers.find(counted.issuer()).isPresent();
                        if (isThere && !others.contains(counted.issuer())) {
                            ledger.restore(counted);
                        } else {
                            ofSameCa(issuers, directories.get(counted.issuer()))
                                    .ifPresent(heir -> ledger.inherit(counted, heir.name()));
                        }
                    }
                    case "fail" -> {
                        Failure failure =
                                new Failure(
                                        past(fields[2], now),
                                        fields[4],
                                        order(fields[5], fields[6]),
                                        cause(fields));
                        int times = Math.clamp(Integer.parseInt(fields[3]), 1, Entry.MOST_FAILURES);
                        List<Failure> all =
                                failures.computeIfAbsent(fields[1], _ -> new ArrayList<>());
                        for (int i = 0; i < times; i++) {
                            all.add(failure);
                        }
                    }
                    case "revoked" -> revoked.put(fields[1], fields[2]);
                    case "gone" -> gone.put(fields[1], past(fields[2], now));
                    default -> unread++;
                }
            } catch (IllegalArgumentException
                    | ArrayIndexOutOfBoundsException
                    | DateTimeException malformed) {
                unread++;
            }
        }
        failures.values()
                .forEach(all -> {
                    all.removeIf(it -> others.contains(it.issuer()) || isMended(it, unchanged));
                    all.sort(Comparator.comparing(Failure::at));
                });
        return new Read(failures, gone, revoked, unread);
    }

    private static Optional<Issuer> ofSameCa(Issuers issuers, @Nullable String directory) {
        return issuers.ordered().stream()
                .filter(issuer -> issuer.directory().toString().equals(directory))
                .findFirst();
    }

    /** Whether people may have changed since what had to be changed. */
    private static boolean isMended(Failure failure, Set<String> unchanged) {
        return switch (failure.cause()) {
            case Cause.NoChallenge _ -> true; // of other parts of the configuration
            case Cause other ->
                    other.pace() == Cause.Pace.PEOPLE && !unchanged.contains(failure.issuer());
        };
    }

    private static CertificateOrder order(String key, String identifiers) {
        return CertificateOrder.of(
                Stream.of(identifiers.split(",")).map(Identifier::parse).toList(),
                KeyAlgorithm.parse(key).orElseThrow(() -> new IllegalArgumentException(key)));
    }

    private static Cause cause(String[] fields) {
        String detail = fields[9];
        Set<Identifier> identifiers = Set.copyOf(order(fields[5], fields[6]).identifiers());
        @Nullable Function<String, Cause> plain = PLAIN.get(fields[7]);
        if (plain != null) {
            return plain.apply(detail);
        }
        return switch (fields[7]) {
            case "RateLimited" ->
                    new Cause.RateLimited(
                            fields[8].isEmpty()
                                    ? Optional.empty()
                                    : Optional.of(instant(fields[8])),
                            false, // the ledger knows of the account
                            detail);
            case "ValidationFailed" -> new Cause.ValidationFailed(identifiers, detail);
            case "NoChallenge" -> new Cause.NoChallenge(identifiers, detail);
            case "NameRefused" -> new Cause.NameRefused(identifiers, detail);
            case "AccountRefused" -> new Cause.AccountRefused(Optional.empty(), detail);
            default -> throw new IllegalArgumentException(fields[7]);
        };
    }

    private static final Map<String, Function<String, Cause>> PLAIN =
            Map.of(
                    "Unreachable", Cause.Unreachable::new,
                    "CaTrouble", Cause.CaTrouble::new,
                    "NotPresented", Cause.NotPresented::new,
                    "NotStored", Cause.NotStored::new,
                    "OrderLost", Cause.OrderLost::new,
                    "AccountLost", Cause.AccountLost::new,
                    "OrderRefused", Cause.OrderRefused::new,
                    "WrongCertificate", Cause.WrongCertificate::new,
                    "AddressRefused", Cause.AddressRefused::new);

    private static Instant instant(String millis) {
        return Instant.ofEpochMilli(Long.parseLong(millis));
    }

    /** Clocks may have been set: nothing has happened in the future. */
    private static Instant past(String millis, Instant now) {
        Instant at = instant(millis);
        return at.isAfter(now) ? now : at;
    }
}
