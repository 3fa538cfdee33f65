package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.Rfc2136Board;
import dev.sallyport.acme.challenge.SeveralBoards;
import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.keep.StoredChange;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.UnusableStateFolder;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Parsed;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificates of its own for a gateway on a folder: one process, which always decides, and a state
 * folder that nobody else may use.
 */
public final class FolderAcme implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FolderAcme.class);
    private static final String NAMESPACE = AcmeRules.FOLDER_NAMESPACE;

    private final AcmeSettings settings;
    private final DirectoryStore store;
    private final InstantSource time;
    private final Supplier<Replica> self;
    private volatile @Nullable CertificateKeeper keeper;
    private volatile @Nullable AcmeMediator mediator;

    private FolderAcme(
            AcmeSettings settings,
            DirectoryStore store,
            InstantSource time,
            Supplier<Replica> self) {
        this.settings = settings;
        this.store = store;
        this.time = time;
        this.self = self;
    }

    /**
     * Opens the state folder and makes it this process's own.
     *
     * @param self where the gateway is bound now
     * @throws UnusableStateFolder where it cannot be used, or another process has it
     */
    public static FolderAcme open(AcmeSettings settings, InstantSource time, Supplier<Replica> self)
            throws UnusableStateFolder {
        Path folder =
                settings.state()
                        .orElseThrow(() -> new IllegalArgumentException("state: no folder"));
        return new FolderAcme(settings, DirectoryStore.open(folder), time, self);
    }

    /** For translation. */
    public AcmeRules rules() {
        return settings.rules(AcmeRules.FOLDER_NAMESPACE, AcmeRules.GATEWAY);
    }

    /** What was issued before, to be served from the first snapshot on. */
    public List<ResourceChange> stored() {
        List<ResourceChange> stored = new ArrayList<>();
        try {
            for (String id : store.certificates()) {
                switch (store.certificate(new CertificateId(id))) {
                    case Parsed.Usable<Optional<StoredCertificate>> usable ->
                            usable.value()
                                    .ifPresent(it -> stored.add(IssuedSecrets.put(NAMESPACE, it)));
                    case Parsed.Rejected<Optional<StoredCertificate>> rejected ->
                            log.atError()
                                    .addKeyValue("certificate", id)
                                    .log(rejected.findings().getFirst().message());
                }
            }
        } catch (IOException unreadable) {
            unread(FileFault.at(unreadable));
        } catch (IllegalArgumentException misnamed) {
            unread(String.valueOf(misnamed.getMessage()));
        }
        return stored;
    }

    /** The keeper says so as long as it lasts. */
    private void unread(String why) {
        log.atError()
                .addKeyValue("state", settings.state().orElseThrow())
                .log("Stored certificates cannot be read: " + why);
    }

    /**
     * Starts the threads {@code acme} and {@code acme-mediator}.
     *
     * @param reconciler takes challenges and what is issued
     * @param state what is translated now
     */
    public void start(Consumer<SourceUpdate> reconciler, Supplier<ControlState> state) {
        List<ChallengeBoard> boards = new ArrayList<>();
        boards.add(SnapshotBoard.alone(settings.challenges(), reconciler, self));
        settings.zone().ifPresent(zone -> boards.add(new Rfc2136Board(zone)));
        CertificateKeeper started =
                CertificateKeeper.of(settings.keeper(), store, new SeveralBoards(boards), time);
        started.whenStored(change ->
                reconciler.accept(
                        new SourceUpdate(
                                List.of(
                                        switch (change) {
                                            case StoredChange.Put(StoredCertificate issued) ->
                                                    IssuedSecrets.put(NAMESPACE, issued);
                                            case StoredChange.Removed(CertificateId id) ->
                                                    IssuedSecrets.remove(NAMESPACE, id);
                                        }),
                                Map.of())));
        started.whenChanged(this::changed);
        started.lead(true);
        started.start();
        keeper = started;
        mediator =
                AcmeMediator.start(
                        started, reconciler, state, _ -> {}, settings.issuers(), rules());
    }

    /** What is translated, or kept, changed. At once, on whatever thread. */
    public void changed() {
        AcmeMediator started = mediator;
        if (started != null) {
            started.wake();
        }
    }

    /** The keeper, once it is started. */
    public Optional<CertificateKeeper> keeper() {
        return Optional.ofNullable(keeper);
    }

    /** Ends orders where they are, and gives the state folder back. Some seconds at most. */
    @Override
    public void close() {
        AcmeMediator told = mediator;
        if (told != null) {
            told.close();
        }
        CertificateKeeper started = keeper;
        if (started != null) {
            started.close();
        }
        try {
            store.close();
        } catch (IOException failed) {
            log.atWarn().log("The state folder is not given back: " + FileFault.at(failed));
        }
    }
}
