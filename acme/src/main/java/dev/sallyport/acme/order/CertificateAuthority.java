package dev.sallyport.acme.order;

import dev.sallyport.acme.issuer.ExternalAccount;
import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.order.Causes.Step;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.KeyAlgorithm;
import dev.sallyport.acme.plan.RenewalWindow;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.KeyMaterial;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Parsed;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.crypto.spec.SecretKeySpec;
import org.shredzone.acme4j.Account;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Certificate;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.RenewalInfo;
import org.shredzone.acme4j.RevocationReason;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.Resource;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeProtocolException;

/**
 * One issuer as we deal with it: its account, what it says of renewals, revocation. Safe from any
 * thread; every method may ask the CA and so take as long as {@link GuardedHttpClient#DEADLINE}
 * several times over.
 */
public final class CertificateAuthority implements AutoCloseable {
    /**
     * acme4j tries a refused nonce ten times; a CA that refuses every other one needs more luck.
     */
    private static final int NONCE_ROUNDS = 5;

    private static final System.Logger LOG = System.getLogger(CertificateAuthority.class.getName());

    private final Issuer issuer;
    private final AcmeStore store;
    private final InstantSource clock;
    private final GuardedHttpClient client;
    private final IssuerProvider provider;
    private boolean contactsTold; // guarded by this

    private CertificateAuthority(
            Issuer issuer, AcmeStore store, InstantSource clock, GuardedHttpClient client) {
        this.issuer = issuer;
        this.store = store;
        this.clock = clock;
        this.client = client;
        this.provider = new IssuerProvider(issuer, client, clock);
    }

    /** Deals with an issuer; asks nothing of it yet. */
    public static CertificateAuthority of(Issuer issuer, AcmeStore store, InstantSource clock) {
        return new CertificateAuthority(issuer, store, clock, GuardedHttpClient.of(issuer, clock));
    }

    static CertificateAuthority of(
            Issuer issuer, AcmeStore store, InstantSource clock, GuardedHttpClient client) {
        return new CertificateAuthority(issuer, store, clock, client);
    }

    /** Whom this is. */
    public Issuer issuer() {
        return issuer;
    }

    /** How many requests were sent to it since the start. */
    public long requests() {
        return client.requests();
    }

    /** Gives the connections back. */
    @Override
    public void close() {
        client.close();
    }

    /** Something that asks the CA. */
    interface Question<T> {
        T ask() throws AcmeException;
    }

    /**
     * Asks, again where only a nonce was refused; for a bounded time altogether.
     *
     * @throws FailedException with what the CA's answer means
     */
    <T> T ask(Step step, Set<Identifier> about, Question<T> question) throws FailedException {
        return client.conversation(() -> rounds(step, about, question));
    }

    private static <T> T rounds(Step step, Set<Identifier> about, Question<T> question)
            throws FailedException {
        for (int round = 1; ; round++) {
            try {
                return question.ask();
            } catch (AcmeException | AcmeLazyLoadingException | AcmeProtocolException failed) {
                if (Causes.isInterruption(failed)) {
                    throw FailedException.ofInterruption();
                }
                if (Causes.is(failed, "badNonce") && round < NONCE_ROUNDS) {
                    continue;
                }
                throw new FailedException(Causes.of(failed, step, about));
            } catch (IllegalArgumentException | IllegalStateException malformed) {
                // How acme4j meets URLs and times that are none.
                throw new FailedException(
                        new Cause.CaTrouble("an answer cannot be read: " + malformed.getMessage()));
            }
        }
    }

    /** What the CA says of a certificate's renewal; empty where it says nothing. */
    public Optional<RenewalWindow> window(X509Certificate leaf) throws FailedException {
        Session session = session();
        boolean offered =
                ask(
                        Step.ORDER,
                        Set.of(),
                        () -> session.resourceUrlOptional(Resource.RENEWAL_INFO).isPresent());
        if (!offered) {
            return Optional.empty();
        }
        Login login = login(session);
        Instant now = clock.instant();
        return ask(
                Step.ORDER,
                Set.of(),
                () -> {
                    RenewalInfo info = login.bindRenewalInfo(leaf);
                    Optional<Instant> askAgain = info.fetch();
                    return RenewalWindow.of(
                            info.getSuggestedWindowStart(),
                            info.getSuggestedWindowEnd(),
                            askAgain,
                            info.getExplanation().flatMap(CertificateAuthority::uri),
                            now);
                });
    }

    /** Has the CA revoke a certificate of its own. */
    public void revoke(X509Certificate leaf, boolean keyCompromised) throws FailedException {
        RevocationReason reason =
                keyCompromised ? RevocationReason.KEY_COMPROMISE : RevocationReason.SUPERSEDED;
        Login login = login(session());
        try {
            revoke(login, leaf, reason);
        } catch (FailedException failed) {
            if (!(failed.why() instanceof Cause.AccountLost)) {
                throw failed;
            }
            forgetLocation(login);
            revoke(login(session()), leaf, reason);
        }
    }

    private void revoke(Login login, X509Certificate leaf, RevocationReason reason)
            throws FailedException {
        ask(
                Step.ORDER,
                Set.of(),
                () -> {
                    Certificate.revoke(login, leaf, reason);
                    return true;
                });
    }

    /**
     * Changes the account's key (RFC 8555 section 7.3.5). The new key is stored before the CA is
     * told, so that a crash in between loses no account. Orders that run meanwhile fail.
     */
    public synchronized void changeAccountKey() throws FailedException {
        Session session = session();
        Login login = login(session);
        StoredAccount account = stored().orElseThrow();
        KeyMaterial next = KeyMaterial.generate(KeyAlgorithm.EC_P256);
        save(account.changingTo(next));
        KeyPair pair = next.keyPair();
        ask(
                Step.ACCOUNT,
                Set.of(),
                () -> {
                    login.getAccount().changeKey(pair);
                    return true;
                });
        save(account.withKey(next));
    }

    /**
     * Forgets the account's URL: the CA does not know it any more, though perhaps its key. Another
     * one than was lost stays: somebody has registered meanwhile.
     */
    synchronized void forgetLocation(Login lost) throws FailedException {
        Optional<StoredAccount> account = stored();
        if (account.isPresent() && account.get().location().equals(Optional.of(location(lost)))) {
            StoredAccount known = account.get();
            save(
                    new StoredAccount(
                            known.issuer(),
                            known.directory(),
                            known.key(),
                            known.nextKey(),
                            Optional.empty()));
        }
    }

    /** A session of its own for one thing to be done: nonces are not shared. */
    Session session() {
        Session session = new Session(issuer.directory(), provider);
        session.setLocale(Locale.ENGLISH);
        session.networkSettings().setTimeout(GuardedHttpClient.DEADLINE);
        session.networkSettings().setCompressionEnabled(false); // or the bound would not be one
        return session;
    }

    /** The account, if there is one, and its key is not being changed. */
    Optional<Login> known(Session session) throws FailedException {
        Optional<StoredAccount> account = stored().filter(it -> it.nextKey().isEmpty());
        Optional<URI> location = account.flatMap(StoredAccount::location);
        return location.isEmpty()
                ? Optional.empty()
                : Optional.of(session.login(url(location.get()), account.get().key().keyPair()));
    }

    /** The account, registered where there is none; by one thread, however many ask. */
    synchronized Login login(Session session) throws FailedException {
        Optional<StoredAccount> found = stored();
        if (found.isPresent()) {
            StoredAccount account = settled(session, found.get());
            if (account.location().isPresent()) {
                URL location = url(account.location().get());
                KeyPair pair = account.key().keyPair();
                Login login = session.login(location, pair);
                tellContacts(login);
                return login;
            }
            return registered(session, account);
        }
        var fresh =
                new StoredAccount(
                        issuer.name(),
                        issuer.directory(),
                        KeyMaterial.generate(KeyAlgorithm.EC_P256),
                        Optional.empty(),
                        Optional.empty());
        save(fresh);
        return registered(session, fresh);
    }

    private Login registered(Session session, StoredAccount account) throws FailedException {
        var builder =
                new AccountBuilder().useKeyPair(account.key().keyPair()).agreeToTermsOfService();
        issuer.contacts().forEach(builder::addEmail);
        issuer.externalAccount().ifPresent(external -> bind(builder, external));
        Login login = ask(Step.ACCOUNT, Set.of(), () -> builder.createLogin(session));
        save(account.at(location(login)));
        contactsTold = true;
        return login;
    }

    /** Once in a process: they may have been configured anew since the account was registered. */
    private void tellContacts(Login login) throws FailedException {
        if (contactsTold) {
            return;
        }
        contactsTold = true;
        Set<URI> wanted =
                issuer.contacts().stream()
                        .map(mail -> URI.create("mailto:" + mail))
                        .collect(Collectors.toCollection(LinkedHashSet::new));
        try {
            ask(
                    Step.ACCOUNT,
                    Set.of(),
                    () -> {
                        Account account = login.getAccount();
                        if (!Set.copyOf(account.getContacts()).equals(wanted)) {
                            Account.EditableAccount edited = account.modify();
                            edited.getContacts().clear();
                            wanted.forEach(edited::addContact);
                            edited.commit();
                        }
                        return true;
                    });
        } catch (FailedException failed) {
            if (failed.why() instanceof Cause.AccountLost || failed.isInterruption()) {
                contactsTold = false;
                throw failed;
            }
            // It issues all the same.
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} does not take our contacts: {1}",
                    issuer.name(),
                    failed.why().detail());
        }
    }

    private static void bind(AccountBuilder builder, ExternalAccount external) {
        SecretKeySpec key = external.macKey().use(bytes -> new SecretKeySpec(bytes, "HmacSHA256"));
        // What all CAs take, however long their keys.
        builder.withKeyIdentifier(external.keyId(), key).withMacAlgorithm("HS256");
    }

    /** After a crash in the middle of a change, whichever key the CA knows. */
    private StoredAccount settled(Session session, StoredAccount account) throws FailedException {
        if (account.nextKey().isEmpty()) {
            return account;
        }
        KeyMaterial next = account.nextKey().get();
        var builder = new AccountBuilder().useKeyPair(next.keyPair()).onlyExisting();
        StoredAccount known;
        try {
            ask(Step.ACCOUNT, Set.of(), () -> builder.createLogin(session));
            known = account.withKey(next);
        } catch (FailedException failed) {
            if (!(failed.why() instanceof Cause.AccountLost)) {
                throw failed;
            }
            known = account.withKey(account.key());
        }
        save(known);
        return known;
    }

    private Optional<StoredAccount> stored() throws FailedException {
        return switch (store.account(issuer)) {
            case Parsed.Usable<Optional<StoredAccount>> usable -> usable.value();
            case Parsed.Rejected<Optional<StoredAccount>> rejected ->
                    throw new FailedException(
                            new Cause.NotStored(rejected.findings().getFirst().message()));
        };
    }

    private void save(StoredAccount account) throws FailedException {
        try {
            store.save(account);
        } catch (IOException failed) {
            throw new FailedException(new Cause.NotStored(FileFault.at(failed)));
        }
    }

    private static URI location(Login login) throws FailedException {
        return uri(login.getAccount().getLocation())
                .orElseThrow(() ->
                        new FailedException(new Cause.CaTrouble("the account's URL is none")));
    }

    static Optional<URI> uri(URL url) {
        try {
            return Optional.of(url.toURI());
        } catch (URISyntaxException notAUri) {
            return Optional.empty();
        }
    }

    static URL url(URI uri) throws FailedException {
        try {
            return uri.toURL();
        } catch (MalformedURLException | IllegalArgumentException notAUrl) {
            throw new FailedException(new Cause.CaTrouble("a stored URL is none: " + uri));
        }
    }
}
