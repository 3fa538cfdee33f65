package dev.sallyport.control.cluster;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.cluster.Contacts.Trouble;
import dev.sallyport.control.cluster.WatchState.Condition;
import dev.sallyport.control.reconcile.SecretDemand;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.stored.LastKnownGood;
import dev.sallyport.model.name.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An API server as a source: one watch for each kind and namespace, one for each Secret that
 * something refers to and no list shows, and one for each ConfigMap that a class names.
 *
 * <p>It tells nothing before all lists that are needed are in ({@link WatchState#awaited}), then
 * each change as it comes, but for those of Secrets that nothing refers to ({@link ListedSecrets}).
 * Such a Secret is looked at by itself once something does: where lists show it until the list's
 * watch is as far, so that no change is lost between the two, and the older of two versions never
 * comes after the newer for good. What a list lacks after a gap is not always believed ({@link
 * VanishGuard}), nor what is not ready any more then ({@link ReadinessGuard}). While the API server
 * is away everything stays as it was.
 */
public final class ClusterSource implements SecretDemand, LastKnownGood.Source, AutoCloseable {
    /*
     * Concurrency: everything is confined to the thread `cluster-watcher`, but for the queue, by
     * which informers and the reconciler tell it what happened, and what others read (volatile).
     * The queue has no bound, as those of the informers before it: entries are handled in
     * microseconds.
     */
    private static final Logger log = LoggerFactory.getLogger(ClusterSource.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5);
    private static final Duration WAITING_TOLD = Duration.ofSeconds(10);
    private static final String TLS = "kubernetes.io/tls";

    /** A list of all Secrets takes less time than a look at each of so many. */
    private static final int MANY_UNSEEN = 100;

    private static final Duration BETWEEN_LISTS = Duration.ofSeconds(2);

    private final Cluster cluster;
    private final ClusterSettings settings;
    private final Function<Resource.OfIngressClass, Optional<ObjectRef>> parameters;
    private final LongSupplier nanoTime;
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    private final List<KindWatch> watches = new ArrayList<>();
    private final Map<Feed, KindWatch> byFeed = new HashMap<>();
    private final ClassWatches classes = new ClassWatches();
    private final SecretWatches secrets;
    private final WatchFindings findings = new WatchFindings();
    private final ListedSecrets listed = new ListedSecrets();
    private final ReadinessGuard readiness;
    private final Thread thread;
    private Set<ObjectRef> unreadable = new HashSet<>(); // of these is to be told yet
    private @Nullable Map<ObjectRef, ResourceChange> untold = new LinkedHashMap<>(); // null: told
    private @Nullable Consumer<SourceUpdate> sink;
    private String waitingTold = "";
    private long waitingToldAt;
    private @Nullable Long listedForMany; // when; null: never
    private volatile boolean closed;
    private volatile Optional<String> waitingFor = Optional.of("the API server");
    private volatile Optional<String> unreachable = Optional.empty();
    private volatile @Nullable Refusal refusal;
    private volatile @Nullable Long lastObject; // when a first list showed one; null: none did
    private volatile @Nullable Long oldestHeard; // null: nothing was told yet
    private volatile int heldBack;

    /** What the API server refuses that the first update needs, and since when. */
    private record Refusal(String what, long since) {}

    /**
     * A source that is not started.
     *
     * @param parameters the ConfigMap that an IngressClass names, if it matters
     * @param nanoTime nanoseconds since any moment, for instance {@code System::nanoTime}
     */
    public ClusterSource(
            ClusterClient client,
            ClusterSettings settings,
            Function<Resource.OfIngressClass, Optional<ObjectRef>> parameters,
            LongSupplier nanoTime) {
        this(new InformerCluster(client), settings, parameters, nanoTime);
    }

    ClusterSource(
            Cluster cluster,
            ClusterSettings settings,
            Function<Resource.OfIngressClass, Optional<ObjectRef>> parameters,
            LongSupplier nanoTime) {
        this.cluster = cluster;
        this.settings = settings;
        this.parameters = parameters;
        this.nanoTime = nanoTime;
        this.readiness = new ReadinessGuard(settings.holdBack());
        this.secrets = new SecretWatches(settings.secrets(), this::singleFeed, nanoTime, findings);
        this.thread = Thread.ofPlatform().name("cluster-watcher").daemon().unstarted(this::run);
    }

    /**
     * Starts the thread and all watches. Returns at once.
     *
     * @param updates called on the thread {@code cluster-watcher}: once when all lists that are
     *     needed are in, then for every change
     */
    public void start(Consumer<SourceUpdate> updates) {
        queue.add(() -> {
            sink = updates;
            open();
        });
        thread.start();
    }

    @Override
    public void changed(Set<ObjectRef> wanted, Set<ObjectRef> sought, Set<ObjectRef> released) {
        queue.add(() -> {
            for (ObjectRef secret : released) {
                if (!secrets.release(secret)) {
                    continue; // a list shows it, and goes on telling
                }
                if (listed.contains(secret)) {
                    listed.passOver(secret);
                } else {
                    tell(ResourceChange.remove(secret)); // nobody tells of it any more
                }
            }
            // Before the lists are in, each Secret may yet be in one, and is told with them.
            boolean listing = untold != null && settings.secrets() == SecretAccess.BY_TYPE;
            for (ObjectRef secret : wanted) {
                boolean told = listed.follow(secret) && !sought.contains(secret);
                secrets.want(secret, listing || told);
            }
            secrets.openNext();
            listForMany();
        });
    }

    @Override
    public void expect(Collection<Resource> inService, Duration age) {
        queue.add(() -> {
            long now = nanoTime.getAsLong();
            long known = now - age.toNanos();
            readiness.gap(now);
            Set<ObjectRef> unwatched = new LinkedHashSet<>();
            for (Resource resource : inService) {
                unwatched.add(resource.ref());
                switch (resource) {
                    case Resource.OfEndpointSlice slice ->
                            readiness
                                    .inService(slice, now)
                                    .map(ResourceChange::put)
                                    .ifPresent(this::tell);
                    case Resource.OfIngressClass stored ->
                            watch(classes.stored(stored.ref(), parameters.apply(stored)));
                    default -> {}
                }
            }
            List<ObjectRef> all = List.copyOf(unwatched);
            for (KindWatch watch : List.copyOf(watches)) {
                List<ObjectRef> shown = all.stream().filter(watch.watched()::covers).toList();
                unwatched.removeAll(shown);
                if (watch.expect(shown, known)) {
                    judgeList(watch);
                }
            }
            unwatched.forEach(this::obey);
        });
    }

    @Override
    public Optional<String> unreachable() {
        return unreachable;
    }

    @Override
    public Optional<String> refused(Duration atLeast) {
        Refusal refused = refusal;
        return refused == null || since(refused.since()).compareTo(atLeast) < 0
                ? Optional.empty()
                : Optional.of(refused.what());
    }

    @Override
    public Optional<Duration> sinceHeard() {
        Long at = lastObject;
        return at == null ? Optional.empty() : Optional.of(since(at));
    }

    /**
     * What the first update waits for, for people; empty once it was given. Safe from any thread.
     */
    public Optional<String> waitingFor() {
        return waitingFor;
    }

    /**
     * For how long the watch that is silent the longest has been: a few seconds where all is well,
     * since watches answer pings. A watch that was never listed is as old as what is in service in
     * its place. Empty until the first update. Safe from any thread.
     */
    @Override
    public Optional<Duration> sinceLastLook() {
        Long at = oldestHeard;
        return at == null ? Optional.empty() : Optional.of(since(at));
    }

    private Duration since(long moment) {
        return Duration.ofNanos(Math.max(0, nanoTime.getAsLong() - moment));
    }

    /** How many objects stay in service that a list lacks after a gap. Safe from any thread. */
    public int heldBack() {
        return heldBack;
    }

    /** Ends all watches and the thread, and waits for it, five seconds at most. */
    @Override
    public void close() {
        closed = true;
        queue.add(() -> {});
        if (!thread.isAlive() || Thread.currentThread() == thread) {
            return;
        }
        try {
            if (!thread.join(LONGEST_CLOSE)) {
                log.atWarn().log("The thread that watches the cluster is left behind");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        long tick = nanoTime.getAsLong() + TICK.toNanos();
        while (!closed) {
            try {
                Runnable event =
                        queue.poll(Math.max(0, tick - nanoTime.getAsLong()), TimeUnit.NANOSECONDS);
                if (event != null) {
                    event.run();
                }
                if (nanoTime.getAsLong() - tick >= 0) {
                    tick = nanoTime.getAsLong() + TICK.toNanos();
                    look();
                }
            } catch (InterruptedException _) {
                break;
            } catch (RuntimeException | Error bug) {
                log.atError().setCause(bug).log("A bug: a change of the cluster may be lost");
            }
        }
        watches.forEach(watch -> watch.feed().close());
        secrets.close();
    }

    private void open() {
        boolean everywhere = settings.namespaces().isEmpty();
        add(WatchedKind.INGRESS_CLASS, WatchScope.EVERYWHERE, everywhere);
        for (WatchScope scope : scopes()) {
            add(WatchedKind.INGRESS, scope, true);
            add(WatchedKind.SERVICE, scope, true);
            add(WatchedKind.ENDPOINT_SLICE, scope, true);
            if (settings.secrets() == SecretAccess.BY_TYPE) {
                add(WatchedKind.SECRET, scope.withType(TLS), true);
            }
        }
        settings.ownSecrets()
                .filter(own -> !settings.listsSecretsOf(own))
                .ifPresent(own -> add(WatchedKind.SECRET, WatchScope.in(own).withType(TLS), true));
        if (everywhere) {
            add(WatchedKind.NAMESPACE, WatchScope.EVERYWHERE, false);
        }
        for (String namespace : settings.namespaces()) {
            add(WatchedKind.NAMESPACE, WatchScope.named(namespace), false);
        }
        watches.forEach(watch -> watch.feed().start());
    }

    /** Opens the watch of a ConfigMap that a class names, where there is none yet. */
    private void watch(Optional<ObjectRef> configMap) {
        configMap
                .filter(ref -> watchOf(ref).isEmpty())
                .map(ref -> WatchScope.of(ref.namespace(), ref.name()))
                .ifPresent(scope -> add(WatchedKind.CONFIG_MAP, scope, false).feed().start());
    }

    private Optional<KindWatch> watchOf(ObjectRef configMap) {
        return watches.stream().filter(watch -> watch.watched().covers(configMap)).findFirst();
    }

    /**
     * A class is told of when it is known what the ConfigMap says that it names: till then it is as
     * it was, for nobody should be redirected, or have a certificate ordered, by mistake. It does
     * not wait for ever for what cannot be read.
     */
    private void classExists(Resource.OfIngressClass ingressClass) {
        Optional<ObjectRef> configMap = parameters.apply(ingressClass);
        watch(configMap);
        Optional<ObjectRef> unread =
                untold != null
                        ? Optional.empty()
                        : configMap.filter(
                                ref -> watchOf(ref).filter(watch -> !watch.isListed()).isPresent());
        if (unread.isPresent()) {
            classes.await(ingressClass, unread.get(), nanoTime.getAsLong());
        } else {
            tell(ingressClass, configMap);
        }
        endUnnamed();
    }

    private void tell(Resource.OfIngressClass ingressClass, Optional<ObjectRef> configMap) {
        classes.told(ingressClass.ref(), configMap);
        tell(ResourceChange.put(ingressClass));
    }

    private void configMapListed(KindWatch watch) {
        classes.awaiting(watch.watched()::covers).forEach(this::classExists);
    }

    /** Of what may not be read, or is not answered, nothing is known. */
    private void tellOverdueClasses(long now) {
        for (Resource.OfIngressClass overdue : classes.overdue(now)) {
            tell(overdue, parameters.apply(overdue));
        }
        endUnnamed();
    }

    /** Ends the watches of ConfigMaps that no class names any more. */
    private void endUnnamed() {
        for (ObjectRef configMap : classes.unnamed()) {
            watchOf(configMap).ifPresent(this::end);
            tell(ResourceChange.remove(configMap));
        }
    }

    private void end(KindWatch watch) {
        byFeed.remove(watch.feed());
        watches.remove(watch);
        watch.feed().close();
        findings.forget(watch.watched());
        findings.resolve("held " + watch.watched());
        countHeld();
        tellFindings();
    }

    private List<WatchScope> scopes() {
        return settings.namespaces().isEmpty()
                ? List.of(WatchScope.EVERYWHERE)
                : settings.namespaces().stream().map(WatchScope::in).toList();
    }

    private KindWatch add(WatchedKind<?> kind, WatchScope scope, boolean needed) {
        Feed feed = cluster.feed(new Watched<>(kind, scope), new KindListener());
        var watch = new KindWatch(feed, needed, settings.holdBack(), nanoTime.getAsLong());
        watches.add(watch);
        byFeed.put(feed, watch);
        return watch;
    }

    /**
     * Lists and watches anew: what the API server has and the list before did not, the watch that
     * follows that list would never tell of.
     */
    private void restart(KindWatch watch) {
        byFeed.remove(watch.feed());
        cluster.contact(watch.watched()).heard().ifPresent(watch::heard);
        watch.replace(cluster.feed(watch.watched(), new KindListener()));
        byFeed.put(watch.feed(), watch);
        watch.feed().start();
    }

    private Feed singleFeed(ObjectRef secret) {
        return cluster.feed(
                new Watched<>(WatchedKind.SECRET, WatchScope.of(secret.namespace(), secret.name())),
                new SecretListener(secret));
    }

    /** Once a second: what time alone changes. */
    private void look() {
        long now = nanoTime.getAsLong();
        List<WatchState> states = states(now);
        watches.forEach(watch -> askAgain(watch, now));
        countHeld();
        judgeReadiness(states, now);
        tellOverdueClasses(now);
        beginOnce(states, now);
        if (untold != null) {
            return;
        }
        oldestHeard = now - Math.max(judgeSingleWatches(now), longestSilence(states));
        boolean anyFine = states.stream().anyMatch(state -> state.is(Condition.FINE));
        boolean anySilent = states.stream().anyMatch(state -> state.is(Condition.SILENT));
        findings.judgeServer(
                cluster.url(),
                anyFine || !anySilent,
                states.stream().flatMap(state -> state.trouble().stream()).findFirst());
        for (int i = 0; i < watches.size(); i++) {
            Watched<?> watched = watches.get(i).watched();
            // Whether a namespace exists is good to know, and hardly ever allowed.
            if (watched.scope().name().isEmpty() || !watched.kind().equals(WatchedKind.NAMESPACE)) {
                findings.judge(watched, states.get(i));
            }
        }
        listForMany();
        secrets.look(this::readOnce);
        tellFindings();
    }

    /** Nobody knows who is ready when nothing was heard of that. */
    private void judgeReadiness(List<WatchState> states, long now) {
        boolean gap =
                states.stream()
                        .filter(state -> state.kind().equals(WatchedKind.ENDPOINT_SLICE.kind()))
                        .anyMatch(state -> state.silence() > WatchState.SILENCE_COUNTS);
        if (gap) {
            readiness.gap(now);
        }
        readiness.over(now).forEach(slice -> tell(ResourceChange.put(slice)));
    }

    /** Where very many Secrets are wanted at once that lists show, lists tell of them again. */
    private void listForMany() {
        long now = nanoTime.getAsLong();
        Long last = listedForMany;
        if (untold != null
                || (last != null && now - last < BETWEEN_LISTS.toNanos())
                || secrets.unseen(listed::contains) <= MANY_UNSEEN) {
            return;
        }
        listedForMany = now;
        watches.stream()
                .filter(watch -> watch.watched().kind().equals(WatchedKind.SECRET))
                .filter(watch -> !watch.listsAnew())
                .forEach(this::restart);
    }

    private static long longestSilence(List<WatchState> states) {
        return states.stream()
                .filter(state -> state.needed() || (state.listed() && !state.is(Condition.REFUSED)))
                .mapToLong(WatchState::silence)
                .max()
                .orElse(0);
    }

    /** Secrets that are watched one by one: the longest silence among them, in nanoseconds. */
    private long judgeSingleWatches(long now) {
        long longest = 0;
        int silent = 0;
        for (SecretWatches.Single single : secrets.singles()) {
            Contact contact = cluster.contact(single.feed().watched());
            if (contact.trouble().filter(Trouble::refused).isPresent()) {
                continue; // told of by itself
            }
            long silence = now - contact.heard().orElse(single.since());
            longest = Math.max(longest, silence);
            silent += silence > WatchState.SILENCE_COUNTS ? 1 : 0;
        }
        findings.judgeSingleWatches(silent);
        return longest;
    }

    private List<WatchState> states(long now) {
        return watches.stream()
                .map(watch -> watch.state(cluster.contact(watch.watched()), now))
                .toList();
    }

    /** Tells everything, once all is there that is needed. */
    private void beginOnce(List<WatchState> states, long now) {
        Map<ObjectRef, ResourceChange> all = untold;
        if (all == null) {
            return;
        }
        Optional<String> awaited = WatchState.awaited(states);
        if (awaited.isPresent()) {
            waitingFor = awaited;
            unreachable = unreachable(states);
            refusal =
                    WatchState.refused(states)
                            .map(state -> new Refusal(state.described(), now - state.refusal()))
                            .orElse(null);
            tellWaiting(awaited.get(), now);
            return;
        }
        untold = null;
        oldestHeard = now - longestSilence(states);
        unreachable = Optional.empty();
        refusal = null;
        watches.stream().filter(KindWatch::servesUnseen).forEach(this::tellUnseen);
        log.atInfo().addKeyValue("objects", all.size()).log("the cluster's objects are listed");
        tell(List.copyOf(all.values()));
        waitingFor = Optional.empty();
        secrets.begin(listed::contains);
    }

    /** Where nothing was answered at all, why not. */
    private static Optional<String> unreachable(List<WatchState> states) {
        boolean answered =
                states.stream()
                        .anyMatch(state -> state.trouble().filter(Trouble::unanswered).isEmpty());
        return answered
                ? Optional.empty()
                : states.stream()
                        .flatMap(state -> state.trouble().stream())
                        .findFirst()
                        .map(Trouble::toString);
    }

    /** What a start waits for is said again and again, for somebody may be looking. */
    private void tellWaiting(String what, long now) {
        if (waitingTold.isEmpty() || now - waitingToldAt > WAITING_TOLD.toNanos()) {
            log.atInfo().addKeyValue("for", what).log("waiting");
            waitingTold = what;
            waitingToldAt = now;
        }
    }

    private void beginIfComplete() {
        if (untold != null) {
            long now = nanoTime.getAsLong();
            beginOnce(states(now), now);
        }
    }

    /** Asks whether what is held back is really gone. */
    private void askAgain(KindWatch watch, long now) {
        if (!watch.asksAgain(now)) {
            return;
        }
        Feed feed = watch.feed();
        Thread.startVirtualThread(() -> {
            Optional<Set<ObjectRef>> names;
            try {
                names = Optional.of(feed.namesNow());
            } catch (RuntimeException failed) {
                log.atDebug().setCause(failed).log("No second list");
                names = Optional.empty();
            }
            Optional<Set<ObjectRef>> answer = names;
            queue.add(() -> secondList(watch, answer));
        });
    }

    private void secondList(KindWatch watch, Optional<Set<ObjectRef>> names) {
        watch.answered();
        if (!watches.contains(watch)) {
            return; // it was ended meanwhile
        }
        long now = nanoTime.getAsLong();
        if (names.isEmpty()) {
            watch.guard().postpone(now);
            return;
        }
        watch.guard().confirm(names.get(), now).forEach(this::obey);
        if (watch.guard().held() > 0) {
            restart(watch);
        }
        tellHeld(watch);
        judgeNamespace(watch);
    }

    /** The object is gone for good. */
    private void obey(ObjectRef ref) {
        readiness.gone(ref);
        if (ref.kind().equals("Secret")) {
            listed.remove(ref);
            if (secrets.looksAt(ref)) {
                return; // that says what became of it
            }
            secrets.unlisted(ref);
        }
        tell(ResourceChange.remove(ref));
        if (ref.kind().equals(WatchedKind.INGRESS_CLASS.kind())) {
            classes.gone(ref);
            endUnnamed();
        }
    }

    private void tellHeld(KindWatch watch) {
        String step = "held " + watch.watched();
        int held = watch.guard().held();
        if (held > 0) {
            findings.say(
                    step, WatchFindings.heldBack(watch.watched(), held, watch.guard().known()));
        } else {
            findings.resolve(step);
        }
        countHeld();
        tellFindings();
    }

    private void countHeld() {
        heldBack = watches.stream().mapToInt(watch -> watch.guard().held()).sum();
    }

    /** A name that was mistyped would serve nothing, without a word. */
    private void judgeNamespace(KindWatch watch) {
        if (watch.watched().kind().equals(WatchedKind.NAMESPACE)) {
            watch.watched()
                    .scope()
                    .name()
                    .ifPresent(name -> {
                        findings.judgeNamespace(name, watch.guard().known() > 0);
                        tellFindings();
                    });
        }
    }

    private void tellUnseen(KindWatch watch) {
        findings.say("unseen " + watch.watched(), WatchFindings.unseen(watch.watched()));
    }

    private void tell(ResourceChange change) {
        Map<ObjectRef, ResourceChange> first = untold;
        if (first == null) {
            tell(List.of(change));
        } else {
            first.put(change.ref(), change);
        }
    }

    private void tellFindings() {
        if (untold == null) {
            tell(List.of());
        }
    }

    /** Tells these, and what else there is to tell. */
    private void tell(List<ResourceChange> changes) {
        var update = new SourceUpdate(changes, findings.drain(), unreadable);
        unreadable = new HashSet<>();
        Consumer<SourceUpdate> updates = sink;
        boolean first = waitingFor.isPresent(); // told even where a cluster is empty
        if (updates != null && !closed && (first || !update.isEmpty())) {
            updates.accept(update);
        }
    }

    /** Reads a Secret for which there is no watch left. */
    private void readOnce(ObjectRef secret) {
        Thread.startVirtualThread(() -> {
            try {
                Optional<Resource> now = cluster.read(secret);
                queue.add(() -> {
                    if (secrets.read(secret)) {
                        tellSeen(secret, now);
                    }
                });
            } catch (Cluster.Refused failed) {
                queue.add(() -> {
                    if (failed.trouble().refused()) {
                        refused(secret, failed.trouble());
                    }
                    secrets.unread(secret); // its turn comes again
                });
            } catch (RuntimeException | Error bug) {
                log.atError().setCause(bug).log("A bug in reading a Secret");
                queue.add(() -> secrets.unread(secret));
            }
        });
    }

    /** What a look at a Secret came to. */
    private void tellSeen(ObjectRef secret, Optional<Resource> now) {
        tell(new ResourceChange(secret, now));
        secrets.looked(secret, now.map(Resource::version), listed.version(secret));
    }

    private void refused(ObjectRef secret, Trouble why) {
        if (secrets.refused(secret, why.toString())) {
            unreadable.add(secret);
            tellFindings();
            secrets.openNext();
        }
    }

    private void exists(KindWatch watch, ObjectRef ref, Optional<Resource> now) {
        if (untold != null && !watch.isListed() && !untold.containsKey(ref)) {
            lastObject = nanoTime.getAsLong(); // events, and a list read again, are no progress
        }
        boolean wereHeld = watch.guard().held() > 0;
        watch.guard().seen(ref);
        if (wereHeld && watch.guard().held() == 0) {
            tellHeld(watch);
        }
        switch (now.orElse(null)) {
            case Resource.OfSecret secret -> secretExists(secret);
            case null -> {
                if (listed.contains(ref)) {
                    obey(ref); // it does not matter any more
                }
            }
            case Resource.OfEndpointSlice slice ->
                    tell(ResourceChange.put(readiness.seen(slice, nanoTime.getAsLong())));
            case Resource.OfIngressClass ingressClass -> classExists(ingressClass);
            case Resource other -> tell(ResourceChange.put(other));
        }
        judgeNamespace(watch);
    }

    private void secretExists(Resource.OfSecret secret) {
        ObjectRef ref = secret.ref();
        boolean isNews = listed.show(ref, secret.version(), secrets.wants(ref), untold != null);
        boolean isTold = secrets.looksAt(ref) ? secrets.listed(ref, secret.version()) : isNews;
        if (isTold) {
            tell(ResourceChange.put(secret));
        } else {
            secret.material().wipe();
        }
    }

    private void gone(KindWatch watch, ObjectRef ref, boolean seen) {
        if (seen) {
            watch.guard().deleted(ref);
            obey(ref);
            judgeNamespace(watch);
        } else {
            watch.guard().missing(ref);
        }
    }

    private void isListed(KindWatch watch) {
        long now = nanoTime.getAsLong();
        if (watch.servesUnseen()) {
            findings.resolve("unseen " + watch.watched());
        }
        watch.listed(now);
        judgeList(watch);
        judgeNamespace(watch);
        configMapListed(watch);
        beginIfComplete();
    }

    /** Obeys what a list lacks, or holds it back. */
    private void judgeList(KindWatch watch) {
        watch.guard().listed(nanoTime.getAsLong()).forEach(this::obey);
        if (watch.guard().held() > 0) {
            tellHeld(watch);
        }
    }

    /** Tells of kinds; a feed that was replaced is not heard any more. */
    private final class KindListener implements Feed.Listener {
        @Override
        public void listing(Feed feed) {
            later(feed, KindWatch::listing);
        }

        @Override
        public void exists(Feed feed, ObjectRef ref, Optional<Resource> now) {
            later(feed, watch -> ClusterSource.this.exists(watch, ref, now));
        }

        @Override
        public void gone(Feed feed, ObjectRef ref, boolean seen) {
            later(feed, watch -> ClusterSource.this.gone(watch, ref, seen));
        }

        @Override
        public void listed(Feed feed) {
            later(feed, ClusterSource.this::isListed);
        }

        @Override
        public void failed(Feed feed, Trouble trouble) {
            later(feed, _ -> beginIfComplete());
        }

        private void later(Feed feed, Consumer<KindWatch> event) {
            queue.add(() -> {
                KindWatch watch = byFeed.get(feed);
                if (watch != null) {
                    event.accept(watch);
                }
            });
        }
    }

    /** The watch of one Secret. */
    private final class SecretListener implements Feed.Listener {
        private final ObjectRef secret;
        private boolean exists;

        SecretListener(ObjectRef secret) {
            this.secret = secret;
        }

        @Override
        public void listing(Feed feed) {}

        @Override
        public void exists(Feed feed, ObjectRef ref, Optional<Resource> now) {
            queue.add(() -> {
                exists = true;
                if (secrets.answered(secret, feed)) {
                    tellSeen(secret, now);
                }
            });
        }

        @Override
        public void gone(Feed feed, ObjectRef ref, boolean seen) {
            queue.add(() -> {
                exists = false;
                if (secrets.answered(secret, feed)) {
                    tellSeen(secret, Optional.empty());
                }
            });
        }

        @Override
        public void listed(Feed feed) {
            queue.add(() -> {
                // Of what is as it was, a list after a refusal tells only this.
                if (secrets.answered(secret, feed) && !exists) {
                    tellSeen(secret, Optional.empty());
                }
            });
        }

        @Override
        public void failed(Feed feed, Trouble trouble) {
            if (trouble.refused()) {
                queue.add(() -> {
                    if (secrets.isOpen(secret, feed)) {
                        refused(secret, trouble);
                    }
                });
            }
        }
    }
}
