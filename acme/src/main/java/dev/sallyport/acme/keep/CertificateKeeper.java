package dev.sallyport.acme.keep;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.order.FailedException;
import dev.sallyport.acme.order.OrderRequest;
import dev.sallyport.acme.order.Outcome;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Demand;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.OrderKind;
import dev.sallyport.acme.plan.OrderLedger;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.plan.Situation;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredMemory;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Parsed;
import java.io.IOException;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the certificates that are wanted: one thread decides, orders run on virtual threads. All
 * methods: from any thread, at once.
 *
 * <p>What failed, and what was asked of CAs, is stored too, where the store does that: one that
 * takes over, or starts over and over, waits as long and asks as rarely as one that stays.
 */
public final class CertificateKeeper implements AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `acme`, but for the mailbox, the listeners
     * and `state` (volatile, immutable).
     */
    private static final System.Logger LOG = System.getLogger(CertificateKeeper.class.getName());

    /** Clocks may be set: no sleep is longer. */
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(10);

    /** How soon CAs are asked for windows after a start, for each certificate there is. */
    private static final Duration ASKING_EACH = Duration.ofMillis(100);

    private static final Duration ASKING_FIRST = Duration.ofSeconds(10);
    private static final Duration ASKING_FAILED = Duration.ofHours(1);
    private static final Duration DAMAGED = Duration.ofMinutes(10);

    /** How long a first order waits where a Secret of others may be applied just now. */
    private static final Duration SETTLING = Duration.ofSeconds(1);

    /** How long one waits for news of a Secret; an API server may never give any of that one. */
    private static final Duration AWAITING = Duration.ofMinutes(5);

    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration LAST_RETRY = Duration.ofMinutes(1);
    private static final Duration CLOSING = Duration.ofSeconds(5);

    /** With many certificates, how often what is known is shown. */
    private static final Duration SHOWING = Duration.ofMillis(100);

    /** How often at most what is to be remembered is stored. */
    private static final Duration REMEMBERING = Duration.ofSeconds(1);

    private static final int FEW = 500;
    private static final int QUESTIONS_AT_ONCE = 8;

    /** How long it is waited before nothing is said of an order that is given up. */
    private static final Duration ABANDONING = Duration.ofSeconds(30);

    private static final int ABANDONED_AT_ONCE = 8;

    /** What was asked for by a person came to this. */
    public enum Answer {
        /** It is being done. */
        ACCEPTED,
        /**
         * There is no certificate of that id that is wanted or stored; to be renewed it must be
         * wanted.
         */
        UNKNOWN,
        /** It is wanted, but none is there yet. */
        NOT_ISSUED,
        /** None of the issuers that are wanted for it is configured. */
        NO_ISSUER,
        /** A CA has issued the certificate that is not configured, or not any more. */
        FOREIGN,
        /** Another replica decides. */
        NOT_LEADING
    }

    /** Who tells an issuer's CA that an order is given up. */
    private record Teller(String issuer, Thread thread) {}

    /** What the thread is told. */
    private sealed interface Command {
        record Want(List<Wish> wishes) implements Command {}

        record Lead(boolean leads) implements Command {}

        record Renew(CertificateId id) implements Command {}

        record Look(CertificateId id) implements Command {}

        record Revoke(CertificateId id, boolean keyCompromised) implements Command {}

        record Revoked(CertificateId id, Optional<Cause> failure) implements Command {}

        record Reached(CertificateId id, long run, Station station) implements Command {}

        /** Empty where the order was interrupted, and goes on another time. */
        record Ended(CertificateId id, long run, Optional<Outcome> outcome) implements Command {}

        record Told(CertificateId id, X509Certificate leaf, Optional<RenewalWindow> window)
                implements Command {}

        record NotTold(CertificateId id) implements Command {}

        record Abandoned(CertificateId id, Teller by) implements Command {}

        record RollOver(String issuer) implements Command {}

        record RolledOver(String issuer, Optional<Cause> failure) implements Command {}

        record Close() implements Command {}
    }

    private final KeeperSettings settings;
    private final AcmeStore store;
    private final Ordering ordering;
    private final InstantSource clock;
    private final LinkedBlockingQueue<Command> mailbox = new LinkedBlockingQueue<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<StoredChange>> storeListeners = new CopyOnWriteArrayList<>();
    private final Semaphore questions = new Semaphore(QUESTIONS_AT_ONCE);
    private final Map<String, Semaphore> abandons = new ConcurrentHashMap<>(); // by issuer
    private final Thread thread;
    private volatile KeeperState state = KeeperState.EMPTY;

    private final TreeMap<String, Entry> entries = new TreeMap<>();
    private final TreeMap<Instant, Set<Entry>> schedule = new TreeMap<>();
    private final PriorityQueue<Entry> queue =
            new PriorityQueue<>(
                    Comparator.comparing(Entry::urgency).thenComparing(it -> it.id.text()));
    private final Map<String, URI> accounts = new HashMap<>();
    private final Map<String, Long> failedByCause = new TreeMap<>();
    private final Set<String> rolling = new HashSet<>(); // issuers whose account gets another key
    private final Set<String> rollingNow = new HashSet<>(); // those that are being told so
    private final Map<String, Teller> abandoning = new HashMap<>(); // by id
    private Set<Entry> touched = new HashSet<>();
    private OrderLedger ledger;
    private boolean wanted; // whether anybody has said what is wanted
    private boolean leads;
    private boolean read; // whether the store was, since leading
    private @Nullable String trouble;
    private Duration retry = FIRST_RETRY;
    private @Nullable Instant retryAt;
    private long runs;
    private int running;
    private long issued;
    private boolean changed = true;
    private @Nullable Instant shown;
    private boolean recalled; // whether what was remembered was read, since leading
    private boolean toRemember; // whether there is something new to be remembered
    private @Nullable Instant remembered;

    private CertificateKeeper(
            KeeperSettings settings, AcmeStore store, Ordering ordering, InstantSource clock) {
        this.settings = settings;
        this.store = store;
        this.ordering = ordering;
        this.clock = clock;
        this.ledger = emptyLedger();
        this.thread = Thread.ofPlatform().name("acme").daemon().unstarted(this::run);
    }

    /**
     * Makes one that is not started.
     *
     * @param store where accounts, orders and certificates are kept
     * @param board where challenges are shown
     */
    public static CertificateKeeper of(
            KeeperSettings settings, AcmeStore store, ChallengeBoard board, InstantSource clock) {
        return new CertificateKeeper(
                settings,
                store,
                new OrderingAtCas(settings.issuers(), store, board, clock, settings.times()),
                clock);
    }

    static CertificateKeeper of(
            KeeperSettings settings, AcmeStore store, Ordering ordering, InstantSource clock) {
        return new CertificateKeeper(settings, store, ordering, clock);
    }

    /** Starts the thread {@code acme}. Nothing is decided before the first {@link #want}. */
    public void start() {
        thread.start();
    }

    /** What is wanted from now on: all of it. */
    public void want(Collection<Wish> wishes) {
        mailbox.add(new Command.Want(List.copyOf(wishes)));
    }

    /**
     * Whether this process decides; it does not until it is told so. Told that it does not, it ends
     * its orders where they are: whoever leads next goes on with them.
     */
    public void lead(boolean leads) {
        mailbox.add(new Command.Lead(leads));
    }

    /** What is known now. */
    public KeeperState state() {
        return state;
    }

    /** Has {@code listener} called after each change of {@link #state}; it is not to block. */
    public void whenChanged(Runnable listener) {
        listeners.add(listener);
    }

    /**
     * Has {@code listener} told of each certificate that this process stores or removes, before
     * {@link #state} says so; it is not to block.
     */
    public void whenStored(Consumer<StoredChange> listener) {
        storeListeners.add(listener);
    }

    /** Has a certificate renewed at once, whatever the plan; the CA's limits go on counting. */
    public Answer renew(CertificateId id) {
        if (state.leads()
                && kept(
                        id,
                        it ->
                                it.order().isPresent()
                                        && it.issuers().stream().noneMatch(this::isOurs))) {
            return Answer.NO_ISSUER;
        }
        return answer(id, kept -> kept.order().isPresent(), new Command.Renew(id));
    }

    /** Somebody may have removed from the store what is kept there: it is read again. */
    public void look(CertificateId id) {
        mailbox.add(new Command.Look(id));
    }

    /** Has the CA revoke the certificate that is stored, then orders another if it is wanted. */
    public Answer revoke(CertificateId id, boolean keyCompromised) {
        Answer answer =
                answer(
                        id,
                        kept -> kept.current().filter(this::isOfOurs).isPresent(),
                        new Command.Revoke(id, keyCompromised));
        if (answer != Answer.UNKNOWN) {
            return answer;
        }
        if (kept(id, it -> it.current().isPresent())) {
            return Answer.FOREIGN;
        }
        return kept(id, it -> it.order().isPresent()) ? Answer.NOT_ISSUED : Answer.UNKNOWN;
    }

    private boolean isOfOurs(CurrentCertificate certificate) {
        return isOurs(certificate.issuer());
    }

    private boolean isOurs(String issuer) {
        return settings.issuers().find(issuer).isPresent();
    }

    /**
     * Has an issuer's account change its key, once no order is under way there; orders wait
     * meanwhile.
     *
     * @param issuer its configured name
     */
    public Answer rollOver(String issuer) {
        if (!state.leads()) {
            return Answer.NOT_LEADING;
        }
        if (settings.issuers().find(issuer).isEmpty()) {
            return Answer.UNKNOWN;
        }
        mailbox.add(new Command.RollOver(issuer));
        return Answer.ACCEPTED;
    }

    private Answer answer(CertificateId id, Predicate<Kept> fit, Command command) {
        if (!state.leads()) {
            return Answer.NOT_LEADING;
        }
        if (!kept(id, fit)) {
            return Answer.UNKNOWN;
        }
        mailbox.add(command);
        return Answer.ACCEPTED;
    }

    private boolean kept(CertificateId id, Predicate<Kept> fit) {
        return state.certificates().stream().anyMatch(it -> it.id().equals(id) && fit.test(it));
    }

    /** Ends orders where they are, and the thread. Takes some seconds at most. */
    @Override
    public void close() {
        mailbox.add(new Command.Close());
        try {
            if (thread.isAlive() && !thread.join(CLOSING)) {
                LOG.log(System.Logger.Level.WARNING, "An order does not end; it is left alone");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        ordering.close();
    }

    private void run() {
        boolean open = true;
        while (open) {
            try {
                Command command = mailbox.poll(sleep().toMillis(), TimeUnit.MILLISECONDS);
                while (command != null) {
                    open &= !(command instanceof Command.Close);
                    handle(command);
                    command = mailbox.poll();
                }
                if (open) {
                    work();
                }
            } catch (InterruptedException _) {
                open = false;
            } catch (RuntimeException | Error bug) {
                LOG.log(System.Logger.Level.ERROR, "A bug: certificates are looked at again", bug);
                fail("a bug: " + bug);
                read = false;
                retryAt = clock.instant().plus(LAST_RETRY);
            }
        }
        endOrders();
        if (toRemember && leads && read) {
            remember(clock.instant());
        }
    }

    private Duration sleep() {
        Instant now = clock.instant();
        Instant next = now.plus(LONGEST_SLEEP);
        if (leads && !schedule.isEmpty() && schedule.firstKey().isBefore(next)) {
            next = schedule.firstKey();
        }
        Instant again = retryAt;
        if (again != null && again.isBefore(next)) {
            next = again;
        }
        if (changed && shown != null && shown.plus(SHOWING).isBefore(next)) {
            next = shown.plus(SHOWING);
        }
        Instant stored = remembered;
        if (toRemember
                && leads
                && read
                && stored != null
                && again == null
                && stored.plus(REMEMBERING).isBefore(next)) {
            next = stored.plus(REMEMBERING);
        }
        Duration left = Duration.between(now, next);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private void handle(Command command) {
        switch (command) {
            case Command.Want(List<Wish> wishes) -> take(wishes);
            case Command.Lead(boolean now) -> {
                if (now != leads) {
                    leads = now;
                    changed = true;
                    if (!now) {
                        endOrders();
                        forget();
                    }
                }
            }
            case Command.Renew(CertificateId id) -> {
                Entry entry = entries.get(id.text());
                if (entry != null && entry.wish != null) {
                    entry.asked = true;
                    touched.add(entry);
                }
            }
            case Command.Look(CertificateId id) -> {
                Entry entry = entries.get(id.text());
                if (entry != null && entry.stored != null && entry.run == null && leads && read) {
                    read(entry);
                    touched.add(entry);
                }
            }
            case Command.Revoke(CertificateId id, boolean keyCompromised) ->
                    haveRevoked(id, keyCompromised);
            case Command.Revoked(CertificateId id, Optional<Cause> failure) -> revoked(id, failure);
            case Command.Reached(CertificateId id, long run, Station station) -> {
                Entry entry = running(id, run);
                if (entry != null) {
                    entry.station = station;
                    entry.made |= station == Station.KEY_STORED;
                    switch (station) {
                        case KEY_STORED -> {
                            entry.underway = null;
                            entry.madeAt = null;
                        }
                        case ORDERED -> {
                            Entry.Run now = Objects.requireNonNull(entry.run);
                            entry.underway = new Entry.Underway(now.issuer().name(), now.order());
                        }
                        default -> {}
                    }
                    show(entry);
                }
            }
            case Command.Ended(CertificateId id, long run, Optional<Outcome> outcome) -> {
                Entry entry = running(id, run);
                if (entry != null) {
                    ended(entry, Objects.requireNonNull(entry.run), outcome);
                }
            }
            case Command.Told(
                            CertificateId id,
                            X509Certificate leaf,
                            Optional<RenewalWindow> window) ->
                    told(id, leaf, window);
            case Command.NotTold(CertificateId id) -> {
                Entry entry = entries.get(id.text());
                if (entry != null) {
                    entry.asking = false;
                    entry.askAt = clock.instant().plus(ASKING_FAILED);
                    touched.add(entry);
                }
            }
            case Command.Abandoned(CertificateId id, Teller by) -> abandoning.remove(id.text(), by);
            case Command.RollOver(String issuer) -> rolling.add(issuer);
            case Command.RolledOver(String issuer, Optional<Cause> failure) ->
                    rolledOver(issuer, failure);
            case Command.Close _ -> {}
        }
    }

    private @Nullable Entry running(CertificateId id, long run) {
        Entry entry = entries.get(id.text());
        Entry.Run now = entry == null ? null : entry.run;
        return now != null && now.number() == run ? entry : null;
    }

    private void take(List<Wish> wishes) {
        wanted = true;
        Set<String> ids = new HashSet<>();
        for (Wish wish : wishes) {
            ids.add(wish.id().text());
            Entry entry = entries.computeIfAbsent(wish.id().text(), _ -> new Entry(wish.id()));
            if (!wish.equals(entry.wish)) {
                Entry.Run run = entry.run;
                if (run != null && !run.order().equals(wish.order())) {
                    run.thread().interrupt(); // another one is wanted by now
                }
                if (entry.wish == null || entry.wish.open() != wish.open()) {
                    entry.openSince = clock.instant();
                }
                entry.wish = wish;
                entry.goneSince = null;
                touched.add(entry);
            }
        }
        for (Entry entry : entries.values()) {
            if (entry.wish != null && !ids.contains(entry.id.text())) {
                entry.wish = null;
                entry.goneSince = clock.instant();
                toRemember = true;
                entry.asked = false;
                Entry.Run run = entry.run;
                if (run != null) {
                    run.thread().interrupt();
                }
                touched.add(entry);
            }
        }
    }

    private OrderLedger emptyLedger() {
        return new OrderLedger(settings.limits(), settings.issuers().firstOfSameCa());
    }

    /** What only the leader knows. */
    private void forget() {
        schedule.clear();
        queue.clear();
        ledger = emptyLedger();
        read = false;
        recalled = false;
        toRemember = false;
        rolling.clear();
        rollingNow.clear();
        trouble = null;
        retry = FIRST_RETRY;
        retryAt = null;
        touched = new HashSet<>();
        entries.values().removeIf(entry -> entry.wish == null);
        entries.replaceAll((_, entry) -> {
            var fresh = new Entry(entry.id);
            fresh.wish = entry.wish;
            return fresh;
        });
    }

    private void work() {
        Instant now = clock.instant();
        Instant again = retryAt;
        boolean waits = again != null && again.isAfter(now);
        if (!waits) {
            retryAt = null; // or the thread would not sleep any more
        }
        if (leads && wanted) {
            if (!read && !waits) {
                readStore(now);
            }
            if (read) {
                takeDue(now);
                Set<Entry> some = touched;
                touched = new HashSet<>();
                some.forEach(entry -> decide(entry, now));
                startRollOvers();
                startOrders();
                rememberInTime(now);
            }
        }
        publish(now);
    }

    private void readStore(Instant now) {
        Set<String> ids;
        Set<String> orders;
        try {
            ids = new HashSet<>(store.certificates());
            orders = store.orders();
            ids.addAll(orders); // or those that nobody wants by now would stay
        } catch (IOException unreadable) {
            fail("the store cannot be read: " + FileFault.at(unreadable));
            return;
        }
        for (String text : ids) {
            try {
                Entry entry =
                        entries.computeIfAbsent(text, _ -> new Entry(new CertificateId(text)));
                if (entry.wish == null && entry.goneSince == null) {
                    entry.goneSince = now;
                }
                read(entry);
                if (orders.contains(text)) {
                    readOrder(entry);
                }
            } catch (IllegalArgumentException foreign) {
                LOG.log(System.Logger.Level.WARNING, "Not a certificate of ours: {0}", text);
            }
        }
        Duration spread = ASKING_EACH.multipliedBy(ids.size());
        for (Entry entry : entries.values()) {
            if (entry.leaf != null) {
                entry.askAt =
                        now.plus(ASKING_FIRST)
                                .plusMillis(Math.floorMod(entry.seed, spread.toMillis() + 1));
            }
        }
        if (!recalled) {
            recall(now);
            recalled = true;
        }
        touched.addAll(entries.values());
        settings.issuers().ordered().forEach(this::readAccount);
        read = true;
        changed = true;
        succeed();
    }

    private void readOrder(Entry entry) {
        Optional<StoredOrder> found = order(entry);
        StoredCertificate stored = entry.stored;
        if (found.isEmpty()) {
            return;
        }
        if (stored != null && found.get().isDoneBy(stored)) {
            // Whoever decided before had no time to remove it.
            try {
                store.removeOrder(entry.id);
            } catch (IOException failed) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "The order of {0}, which is done, stays: {1}",
                        entry.id,
                        FileFault.at(failed));
            }
        } else if (found.get().location().isPresent()) {
            entry.underway =
                    issuer(found.get())
                            .map(issuer -> new Entry.Underway(issuer.name(), found.get().order()))
                            .orElse(null);
        }
    }

    private Optional<StoredOrder> order(Entry entry) {
        return store.order(entry.id) instanceof Parsed.Usable<Optional<StoredOrder>> usable
                ? usable.value()
                : Optional.empty();
    }

    /** Who issued what is stored, if that is configured still. */
    private Optional<Issuer> issuer(@Nullable StoredCertificate stored) {
        return stored == null
                ? Optional.empty()
                : settings.issuers().find(stored.issuer(), stored.directory());
    }

    /** Where an order was made, if that is configured still. */
    private Optional<Issuer> issuer(StoredOrder order) {
        return settings.issuers().find(order.issuer(), order.directory());
    }

    private void recall(Instant now) {
        switch (store.memory()) {
            case Parsed.Usable<Optional<StoredMemory>> usable ->
                    usable.value().ifPresent(memory -> recall(memory, now));
            case Parsed.Rejected<Optional<StoredMemory>> damaged ->
                    // Nothing that cannot be done without: begun anew, and written over.
                    LOG.log(
                            System.Logger.Level.WARNING,
                            "{0}; failures and orders before are not counted",
                            damaged.findings().getFirst().message());
        }
    }

    private void recall(StoredMemory memory, Instant now) {
        Remembering.Read found = Remembering.read(memory, ledger, settings.issuers(), now);
        if (found.unread() > 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "Of what was remembered of failures and orders, {0} lines cannot be read",
                    found.unread());
        }
        found.failures()
                .forEach((id, failures) -> {
                    Entry entry = entries.get(id);
                    if (entry != null) {
                        failures.forEach(entry::failed);
                    }
                });
        found.revoked()
                .forEach((id, serial) -> {
                    Entry entry = entries.get(id);
                    if (entry != null) {
                        entry.revoked = serial;
                    }
                });
        found.gone()
                .forEach((id, since) -> {
                    Entry entry = entries.get(id);
                    if (entry != null && entry.wish == null) {
                        entry.goneSince = since;
                    }
                });
    }

    private void rememberInTime(Instant now) {
        Instant last = remembered;
        boolean soon = last != null && Duration.between(last, now).abs().compareTo(REMEMBERING) < 0;
        if (toRemember && !soon && retryAt == null) {
            remember(now);
        }
    }

    private void remember(Instant now) {
        remembered = now;
        try {
            store.save(Remembering.write(entries.values(), ledger, settings.issuers(), now));
            toRemember = false;
            succeed();
        } catch (IOException failed) {
            fail("what failed and was ordered cannot be stored: " + FileFault.at(failed));
        }
    }

    private void readAccount(Issuer issuer) {
        if (store.account(issuer) instanceof Parsed.Usable<Optional<StoredAccount>> account) {
            account.value()
                    .flatMap(StoredAccount::location)
                    .ifPresent(location -> accounts.put(issuer.name(), location));
        }
    }

    private void read(Entry entry) {
        switch (store.certificate(entry.id)) {
            case Parsed.Usable<Optional<StoredCertificate>> usable ->
                    entry.store(usable.value().orElse(null));
            case Parsed.Rejected<Optional<StoredCertificate>> rejected -> {
                entry.store(null);
                entry.damage = rejected.findings().getFirst().message();
            }
        }
    }

    private void fail(String what) {
        if (!what.equals(trouble)) {
            LOG.log(System.Logger.Level.WARNING, "ACME: {0}", what);
        }
        trouble = what;
        changed = true;
        retryAt = clock.instant().plus(retry);
        Duration doubled = retry.multipliedBy(2);
        retry = doubled.compareTo(LAST_RETRY) > 0 ? LAST_RETRY : doubled;
    }

    private void succeed() {
        changed |= trouble != null;
        trouble = null;
        retry = FIRST_RETRY;
        retryAt = null;
    }

    private void takeDue(Instant now) {
        while (!schedule.isEmpty() && !schedule.firstKey().isAfter(now)) {
            for (Entry entry : schedule.pollFirstEntry().getValue()) {
                entry.due = null;
                touched.add(entry);
            }
        }
    }

    private void decide(Entry entry, Instant now) {
        if (entries.get(entry.id.text()) != entry || entry.run != null) {
            return; // gone, or decided anew when its order has ended
        }
        if (entry.damage != null && !isDue(entry, now)) {
            read(entry); // perhaps somebody mended it
        }
        RenewalPlan plan = plan(entry, now);
        entry.plan = plan;
        switch (plan) {
            case RenewalPlan.Keep keep -> {
                entry.asked = false;
                Instant due = keep.until();
                Instant ask = entry.askAt;
                if (ask != null && !ask.isAfter(now) && !entry.asking) {
                    ask(entry);
                } else if (ask != null && ask.isAfter(now) && ask.isBefore(due)) {
                    due = ask;
                }
                schedule(entry, due.isAfter(now) ? due : now.plus(LONGEST_SLEEP));
            }
            case RenewalPlan.WaitUntil wait -> schedule(entry, wait.until());
            case RenewalPlan.Issue _, RenewalPlan.Renew _ -> enqueue(entry);
            case RenewalPlan.Discard _ -> discard(entry);
        }
        show(entry);
    }

    private static boolean isDue(Entry entry, Instant now) {
        return entry.due != null && entry.due.isAfter(now);
    }

    private RenewalPlan plan(Entry entry, Instant now) {
        Wish wish = entry.wish;
        if (wish == null) {
            Instant since = entry.goneSince == null ? now : entry.goneSince;
            return RenewalPlan.of(situation(entry, new Demand.Gone(since), now));
        }
        String damage = entry.damage;
        if (damage != null) {
            var why = new Why.Damaged(damage);
            return new RenewalPlan.WaitUntil(now.plus(DAMAGED), why, why);
        }
        List<String> known =
                wish.issuers().stream()
                        .filter(name -> settings.issuers().find(name).isPresent())
                        .toList();
        if (known.isEmpty()) {
            var why = new Why.NoIssuer(wish.issuers());
            return new RenewalPlan.WaitUntil(now.plus(DAMAGED), why, why);
        }
        Situation situation = situation(entry, new Demand.Wanted(wish.order(), known), now);
        if (entry.asked) {
            return RenewalPlan.asked(situation);
        }
        Optional<Instant> others = wish.servedUntil().filter(until -> until.isAfter(now));
        StoredCertificate stored = entry.stored;
        if (stored != null && stored.bundle().serial().equals(entry.revoked)) {
            return RenewalPlan.revoked(situation);
        }
        RenewalPlan plan = RenewalPlan.of(situation);
        return others.isPresent()
                ? besideOthers(entry, plan, others.get())
                : settled(entry, wish, plan, now);
    }

    /** What others serve in a moment is not ordered; but what was begun is gone on with. */
    private static RenewalPlan settled(Entry entry, Wish wish, RenewalPlan plan, Instant now) {
        boolean first =
                plan instanceof RenewalPlan.Issue(_, _, _, Why.NoCertificate _)
                        && underway(entry).isEmpty();
        Instant since = entry.openSince;
        if (!first || since == null) {
            return plan;
        }
        return switch (wish.open()) {
            case NONE -> plan;
            case EXPECTED -> waiting(since, SETTLING, now, new Why.OthersExpected(), plan);
            case AWAITED -> waiting(since, AWAITING, now, new Why.OthersAwaited(), plan);
        };
    }

    private static RenewalPlan waiting(
            Instant since, Duration patience, Instant now, Why why, RenewalPlan plan) {
        // Of a clock that was set back too.
        boolean over = Duration.between(since, now).abs().compareTo(patience) >= 0;
        return over ? plan : new RenewalPlan.WaitUntil(since.plus(patience), why, plan.why());
    }

    /**
     * Others serve the host. What is ours is not renewed, and is gone before it expires: it could
     * be served instead of a wildcard's.
     */
    private static RenewalPlan besideOthers(Entry entry, RenewalPlan plan, Instant until) {
        var why = new Why.ServedByOthers(until);
        if (entry.stored == null) {
            return new RenewalPlan.Keep(until, until, why);
        }
        return plan instanceof RenewalPlan.Keep keep
                ? new RenewalPlan.Keep(
                        earlier(keep.lookAgain(), until), earlier(keep.until(), until), why)
                : new RenewalPlan.Discard(why);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private Situation situation(Entry entry, Demand demand, Instant now) {
        return new Situation(
                demand,
                current(entry),
                Optional.ofNullable(entry.window),
                entry.failures,
                ledger,
                settings.rules(),
                underway(entry),
                entry.seed,
                now);
    }

    /** Where the order that is wanted is made already. */
    private static Optional<String> underway(Entry entry) {
        Wish wish = entry.wish;
        return Optional.ofNullable(entry.underway)
                .filter(it -> wish == null || it.order().equals(wish.order()))
                .map(Entry.Underway::issuer);
    }

    private Optional<CurrentCertificate> current(Entry entry) {
        return entry.current(issuer(entry.stored));
    }

    private void schedule(Entry entry, Instant at) {
        Instant before = entry.due;
        if (before != null) {
            Set<Entry> same = schedule.get(before);
            if (same != null && same.remove(entry) && same.isEmpty()) {
                schedule.remove(before);
            }
        }
        entry.due = at;
        schedule.computeIfAbsent(at, _ -> new HashSet<>()).add(entry);
    }

    private void enqueue(Entry entry) {
        if (!entry.queued) {
            entry.queued = true;
            queue.add(entry);
        }
    }

    /** Once nobody uses the key there is. */
    private void startRollOvers() {
        for (String name : rolling) {
            boolean orders =
                    entries.values().stream()
                            .map(entry -> entry.run)
                            .anyMatch(run -> run != null && run.issuer().name().equals(name));
            boolean tells = abandoning.values().stream().anyMatch(it -> it.issuer().equals(name));
            if (!orders && !tells && rollingNow.add(name)) {
                Issuer issuer = settings.issuers().find(name).orElseThrow();
                Thread.ofVirtual()
                        .name("acme-key-" + name)
                        .start(() -> {
                            Optional<Cause> failure = Optional.empty();
                            try {
                                ordering.rollOver(issuer);
                            } catch (FailedException failed) {
                                failure = Optional.of(failed.why());
                            } catch (RuntimeException | Error bug) {
                                failure = Optional.of(new Cause.CaTrouble("a bug: " + bug));
                            }
                            mailbox.add(new Command.RolledOver(name, failure));
                        });
            }
        }
    }

    private void rolledOver(String issuer, Optional<Cause> failure) {
        rolling.remove(issuer);
        rollingNow.remove(issuer);
        if (failure.isPresent()) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "The key of the account at {0} is not changed: {1}",
                    issuer,
                    failure.get().detail());
        } else {
            LOG.log(System.Logger.Level.INFO, "The key of the account at {0} is changed", issuer);
        }
    }

    private void startOrders() {
        List<Entry> waiting = new ArrayList<>();
        while (running < settings.ordersAtOnce() && !queue.isEmpty()) {
            Entry entry = queue.poll();
            entry.queued = false;
            if (entries.get(entry.id.text()) != entry || entry.run != null) {
                continue;
            }
            // What was begun meanwhile counts against the CA's limits, too.
            Instant now = clock.instant();
            RenewalPlan plan = plan(entry, now);
            entry.plan = plan;
            switch (plan) {
                case RenewalPlan.Issue(CertificateOrder order, String issuer, OrderKind kind, _) ->
                        startOrWait(entry, order, issuer, kind, now, waiting);
                case RenewalPlan.Renew(CertificateOrder order, String issuer, OrderKind kind, _) ->
                        startOrWait(entry, order, issuer, kind, now, waiting);
                case RenewalPlan.Keep _, RenewalPlan.WaitUntil _, RenewalPlan.Discard _ ->
                        decide(entry, now);
            }
            show(entry);
        }
        waiting.forEach(this::enqueue);
    }

    private void startOrWait(
            Entry entry,
            CertificateOrder order,
            String issuer,
            OrderKind kind,
            Instant now,
            List<Entry> waiting) {
        Entry.Underway before = entry.underway;
        if (before != null && !before.equals(new Entry.Underway(issuer, order))) {
            if (rolling.contains(before.issuer())) {
                waiting.add(entry); // for the key to tell it with
                return;
            }
            tryToAbandon(entry); // it would be written over
        }
        if (hasToWait(entry, issuer)) {
            waiting.add(entry);
        } else {
            start(entry, order, issuer, kind, now);
        }
    }

    /**
     * For the account's other key; or for the end of an order before: a CA may answer a new one
     * with that, and what becomes of its authorizations then is not to come to the new one.
     */
    private boolean hasToWait(Entry entry, String issuer) {
        Teller teller = abandoning.get(entry.id.text());
        return rolling.contains(issuer) || (teller != null && teller.issuer().equals(issuer));
    }

    private void start(
            Entry entry, CertificateOrder order, String name, OrderKind kind, Instant now) {
        Issuer issuer = settings.issuers().find(name).orElseThrow();
        ledger.begun(now, name, order, kind);
        toRemember = true;
        var request =
                new OrderRequest(
                        entry.id,
                        order,
                        kind == OrderKind.REPLACEMENT
                                ? Optional.ofNullable(entry.leaf)
                                : Optional.empty());
        long number = ++runs;
        running++;
        Thread worker =
                Thread.ofVirtual()
                        .name("acme-order-" + entry.id)
                        .unstarted(() -> order(issuer, request, number));
        entry.run = new Entry.Run(number, worker, now, issuer, order, kind);
        entry.station = null;
        entry.made = false;
        worker.start();
    }

    /** On the order's own thread. */
    private void order(Issuer issuer, OrderRequest request, long number) {
        Optional<Outcome> outcome;
        try {
            outcome =
                    Optional.of(
                            ordering.order(
                                    issuer,
                                    request,
                                    station ->
                                            mailbox.add(
                                                    new Command.Reached(
                                                            request.id(), number, station))));
        } catch (InterruptedException _) {
            outcome = Optional.empty();
        } catch (RuntimeException | Error bug) {
            LOG.log(System.Logger.Level.ERROR, "A bug ended an order", bug);
            outcome = Optional.of(new Outcome.Failed(new Cause.CaTrouble("a bug: " + bug)));
        }
        mailbox.add(new Command.Ended(request.id(), number, outcome));
    }

    private void ended(Entry entry, Entry.Run run, Optional<Outcome> outcome) {
        Instant now = clock.instant();
        Optional<Cause> onMaking =
                entry.station == Station.KEY_STORED
                                && outcome.orElse(null) instanceof Outcome.Failed(Cause why)
                        ? Optional.of(why)
                        : Optional.empty();
        boolean made = entry.made && onMaking.filter(it -> !mayBeMade(it)).isEmpty();
        running--;
        entry.run = null;
        entry.station = null;
        toRemember = true;
        touched.add(entry);
        if (!made) {
            ledger.notMade(run.begun(), run.issuer().name(), run.order(), run.kind());
        }
        if (!accounts.containsKey(run.issuer().name())) {
            readAccount(run.issuer());
        }
        switch (outcome.orElse(null)) {
            case null -> {} // it goes on another time
            case Outcome.Issued(StoredCertificate certificate) -> {
                issued++;
                entry.asked = false;
                entry.failures.clear();
                entry.underway = null;
                entry.madeAt = null;
                entry.store(certificate);
                entry.askAt = now.plus(ASKING_FIRST);
                LOG.log(
                        System.Logger.Level.INFO,
                        "Issued for {0} by {1}, valid until {2}",
                        run.order(),
                        run.issuer().name(),
                        certificate.bundle().notAfter());
                storeListeners.forEach(
                        listener -> listener.accept(new StoredChange.Put(certificate)));
            }
            case Outcome.Failed(Cause cause) -> {
                entry.asked = false;
                var failure = new Failure(now, run.issuer().name(), run.order(), cause);
                failedByCause.merge(cause.getClass().getSimpleName(), 1L, Long::sum);
                entry.underway = null;
                readOrder(entry);
                count(entry, run, failure, made, onMaking.isPresent());
                entry.failed(failure);
                LOG.log(
                        System.Logger.Level.WARNING,
                        "Not issued for {0} by {1}: {2}: {3}",
                        run.order(),
                        run.issuer().name(),
                        cause.getClass().getSimpleName(),
                        cause.detail());
            }
        }
        if (entry.wish == null && !(outcome.orElse(null) instanceof Outcome.Issued)) {
            tryToAbandon(entry);
        }
        show(entry);
    }

    /**
     * An order that may be gone on with may still become a certificate, and counts as one.
     *
     * @param unknown whether nobody knows its URL: it can not be gone on with
     */
    private void count(Entry entry, Entry.Run run, Failure failure, boolean made, boolean unknown) {
        Instant begun = made ? run.begun() : entry.madeAt;
        boolean ended = failure.cause().endsTheOrder() || unknown;
        entry.madeAt = ended ? null : begun;
        if (ended && begun != null) {
            ledger.failed(begun, failure, run.kind());
        } else {
            ledger.note(failure);
        }
    }

    /** Whether a CA may have made the order that it was asked for when this went wrong. */
    private static boolean mayBeMade(Cause cause) {
        return switch (cause) {
            case Cause.NotStored _ -> true; // its URL, perhaps
            case Cause.Unreachable unreachable -> unreachable.asked();
            // What a CA in trouble says of 200 hosts must not use up the account's limit.
            case Cause.CaTrouble _ -> false;
            case Cause.ValidationFailed _,
                    Cause.NotPresented _,
                    Cause.RateLimited _,
                    Cause.AccountRefused _,
                    Cause.AccountLost _,
                    Cause.NameRefused _,
                    Cause.NoChallenge _,
                    Cause.OrderRefused _,
                    Cause.OrderLost _,
                    Cause.WrongCertificate _,
                    Cause.AddressRefused _ ->
                    false;
        };
    }

    private void ask(Entry entry) {
        StoredCertificate stored = entry.stored;
        X509Certificate leaf = entry.leaf;
        Optional<Issuer> issuer = issuer(stored);
        if (leaf == null || issuer.isEmpty()) {
            entry.askAt = null;
            return;
        }
        entry.asking = true;
        CertificateId id = entry.id;
        Thread.ofVirtual()
                .name("acme-window-" + id)
                .start(() -> mailbox.add(window(id, issuer.get(), leaf)));
    }

    /** On a thread of its own. */
    private Command window(CertificateId id, Issuer issuer, X509Certificate leaf) {
        questions.acquireUninterruptibly();
        try {
            return new Command.Told(id, leaf, ordering.window(issuer, leaf));
        } catch (FailedException | RuntimeException | Error notNow) {
            return new Command.NotTold(id);
        } finally {
            questions.release();
        }
    }

    private void told(CertificateId id, X509Certificate leaf, Optional<RenewalWindow> window) {
        Entry entry = entries.get(id.text());
        if (entry == null) {
            return;
        }
        entry.asking = false;
        Instant now = clock.instant();
        if (leaf.equals(entry.leaf)) {
            entry.window = window.orElse(null);
            Instant soonest = now.plus(RenewalWindow.SOONEST);
            Instant again =
                    window.map(RenewalWindow::askAgain)
                            .orElse(now.plus(settings.rules().lookAgain()));
            entry.askAt = again.isBefore(soonest) ? soonest : again;
        } else {
            entry.askAt = now.plus(ASKING_FIRST); // another one took its place meanwhile
        }
        touched.add(entry);
    }

    private void haveRevoked(CertificateId id, boolean keyCompromised) {
        Entry entry = entries.get(id.text());
        StoredCertificate stored = entry == null ? null : entry.stored;
        X509Certificate leaf = entry == null ? null : entry.leaf;
        Optional<Issuer> issuer = issuer(stored);
        if (leaf == null || issuer.isEmpty()) {
            return;
        }
        Thread.ofVirtual()
                .name("acme-revoke-" + id)
                .start(() -> {
                    Optional<Cause> failure = Optional.empty();
                    try {
                        ordering.revoke(issuer.get(), leaf, keyCompromised);
                    } catch (FailedException failed) {
                        failure = Optional.of(failed.why());
                    } catch (RuntimeException | Error bug) {
                        failure = Optional.of(new Cause.CaTrouble("a bug: " + bug));
                    }
                    mailbox.add(new Command.Revoked(id, failure));
                });
    }

    private void revoked(CertificateId id, Optional<Cause> failure) {
        Entry entry = entries.get(id.text());
        if (failure.isPresent()) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "The certificate of {0} is not revoked, and it is not tried again: {1};"
                            + " repeat `sallyport acme revoke {0}` once the CA answers",
                    id,
                    failure.get().detail());
            return;
        }
        LOG.log(System.Logger.Level.INFO, "The certificate of {0} is revoked", id);
        if (entry != null) {
            // The revoked one is served until another is there: better than none.
            entry.revoked = entry.stored == null ? null : entry.stored.bundle().serial();
            toRemember = true;
            if (entry.wish == null) {
                entry.goneSince = clock.instant().minus(settings.rules().grace());
            }
            touched.add(entry);
        }
    }

    private void discard(Entry entry) {
        try {
            store.removeCertificate(entry.id);
            abandon(entry);
            entry.store(null);
            if (entry.wish == null) {
                entries.remove(entry.id.text());
            }
            changed = true;
            storeListeners.forEach(listener -> listener.accept(new StoredChange.Removed(entry.id)));
            succeed();
            decide(entry, clock.instant()); // it may be wanted though others serve it now
        } catch (IOException failed) {
            fail("what nobody wants cannot be removed: " + FileFault.at(failed));
            schedule(entry, clock.instant().plus(LAST_RETRY));
        }
    }

    private void tryToAbandon(Entry entry) {
        try {
            abandon(entry);
        } catch (IOException failed) {
            fail("an order that nobody wants cannot be removed: " + FileFault.at(failed));
        }
    }

    /** Nobody will go on with the order that is stored, if one is. */
    private void abandon(Entry entry) throws IOException {
        Optional<StoredOrder> left = order(entry).filter(order -> order.location().isPresent());
        store.removeOrder(entry.id);
        entry.underway = null;
        Optional<Issuer> issuer = left.flatMap(this::issuer);
        if (issuer.isPresent()) {
            Thread thread =
                    Thread.ofVirtual()
                            .name("acme-abandon-" + entry.id)
                            .unstarted(() -> abandon(issuer.get(), left.get()));
            abandoning.put(entry.id.text(), new Teller(issuer.get().name(), thread));
            thread.start();
        }
    }

    /** On a thread of its own. */
    private void abandon(Issuer issuer, StoredOrder order) {
        Semaphore few =
                abandons.computeIfAbsent(issuer.name(), _ -> new Semaphore(ABANDONED_AT_ONCE));
        try {
            if (few.tryAcquire(ABANDONING.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    ordering.abandon(issuer, order);
                } finally {
                    few.release();
                }
            }
        } catch (InterruptedException _) {
            // Who leads next cannot know of it: the CA forgets such orders by itself, in days.
        } finally {
            mailbox.add(
                    new Command.Abandoned(
                            order.id(), new Teller(issuer.name(), Thread.currentThread())));
        }
    }

    private void endOrders() {
        List<Thread> workers = new ArrayList<>();
        List<Entry> ended = new ArrayList<>();
        for (Entry entry : entries.values()) {
            Entry.Run run = entry.run;
            if (run != null) {
                run.thread().interrupt();
                workers.add(run.thread());
                ended.add(entry);
            }
        }
        abandoning
                .values()
                .forEach(teller -> {
                    teller.thread().interrupt();
                    workers.add(teller.thread());
                });
        abandoning.clear();
        await(workers);
        for (Entry entry : ended) {
            Entry.Run run = Objects.requireNonNull(entry.run);
            if (!entry.made && mailbox.stream().noneMatch(it -> makes(it, run))) {
                ledger.notMade(run.begun(), run.issuer().name(), run.order(), run.kind());
            }
            entry.run = null;
        }
        running = 0;
    }

    /** Whether a command that waits says that a run has an order made. */
    private static boolean makes(Command command, Entry.Run run) {
        return command instanceof Command.Reached(_, long number, Station station)
                && number == run.number()
                && station == Station.KEY_STORED;
    }

    private static void await(List<Thread> workers) {
        long end = System.nanoTime() + CLOSING.dividedBy(2).toNanos();
        try {
            for (Thread worker : workers) {
                long left = end - System.nanoTime();
                boolean _ = left > 0 && worker.join(Duration.ofNanos(left));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void show(Entry entry) {
        RenewalPlan plan = entry.plan;
        if (plan == null) {
            return;
        }
        Optional<CurrentCertificate> current = current(entry);
        StoredCertificate stored = entry.stored;
        Wish wish = entry.wish;
        Entry.Run run = entry.run;
        Kept before = entry.kept;
        var now =
                new Kept(
                        entry.id,
                        Optional.ofNullable(wish).map(Wish::order),
                        wish == null ? List.of() : wish.issuers(),
                        current,
                        stored == null ? "" : stored.bundle().serial(),
                        Optional.ofNullable(entry.window),
                        plan,
                        run == null
                                ? Optional.empty()
                                : Optional.of(
                                        entry.station == null ? Station.ACCOUNT : entry.station),
                        Optional.ofNullable(run).map(it -> it.issuer().name()),
                        entry.failures,
                        Optional.ofNullable(wish).flatMap(Wish::servedUntil),
                        before == null ? clock.instant() : before.changed());
        if (!now.equals(before)) {
            entry.kept = now.changedAt(clock.instant());
            changed = true;
        }
    }

    private void publish(Instant now) {
        Instant last = shown;
        if (!changed
                || (last != null
                        && entries.size() > FEW
                        && Duration.between(last, now).abs().compareTo(SHOWING) < 0)) {
            return;
        }
        changed = false;
        shown = now;
        List<Kept> kept = new ArrayList<>(entries.size());
        for (Entry entry : entries.values()) {
            Kept one = entry.kept;
            if (one != null) {
                kept.add(one);
            }
        }
        state =
                new KeeperState(
                        leads,
                        read,
                        kept,
                        settings.issuers().ordered().stream().map(this::issuer).toList(),
                        new KeeperState.Counts(runs, issued, failedByCause),
                        Optional.ofNullable(trouble));
        listeners.forEach(Runnable::run);
    }

    private KeeperState.IssuerState issuer(Issuer issuer) {
        return new KeeperState.IssuerState(
                issuer.name(),
                issuer.directory(),
                Optional.ofNullable(accounts.get(issuer.name())),
                ordering.requests(issuer));
    }
}
