package dev.sallyport.control.acme;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.NotPresentedException;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.control.resource.AcmeAnswer;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.name.ObjectVersion;
import dev.sallyport.model.route.Challenge;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Shows HTTP-01 and TLS-ALPN-01 proofs on the gateway: they become part of the next snapshot of
 * each replica, and are presented when all their ports answer with them. Safe from any thread.
 */
final class SnapshotBoard implements ChallengeBoard {
    private static final Duration BETWEEN = Duration.ofMillis(20);

    private final Set<ChallengeType> types;
    private final Consumer<List<AcmeAnswer>> answers;
    private final Supplier<Replica> self;
    private final Supplier<List<Replica>> replicas;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Proof, AcmeAnswer> shown = new LinkedHashMap<>(); // under the lock

    /**
     * @param types what may be shown, where there is a port for it
     * @param answers is handed all that is to be shown, whenever that changes; at once
     * @param self where this gateway is bound now
     * @param replicas whom a CA may come to now
     */
    SnapshotBoard(
            Set<ChallengeType> types,
            Consumer<List<AcmeAnswer>> answers,
            Supplier<Replica> self,
            Supplier<List<Replica>> replicas) {
        this.types = types;
        this.answers = answers;
        this.self = self;
        this.replicas = replicas;
    }

    /** On a gateway that has no other replicas. */
    static SnapshotBoard alone(
            Set<ChallengeType> types, Consumer<SourceUpdate> reconciler, Supplier<Replica> self) {
        return new SnapshotBoard(
                types, shown -> reconciler.accept(update(shown)), self, () -> List.of(self.get()));
    }

    /** What becomes part of the next snapshot. */
    static SourceUpdate update(List<AcmeAnswer> shown) {
        return new SourceUpdate(
                List.of(
                        ResourceChange.put(
                                Resource.OfAcmeChallenges.of(shown, ObjectVersion.NONE))),
                Map.of());
    }

    @Override
    public boolean takes(ChallengeType type, Identifier identifier) {
        if (!types.contains(type)
                || (identifier instanceof Identifier.Dns dns && dns.isWildcard())) {
            return false;
        }
        return switch (type) {
            case HTTP_01 -> !self.get().http().isEmpty();
            case TLS_ALPN_01 -> !self.get().https().isEmpty();
            case DNS_01 -> false;
        };
    }

    @Override
    public void present(Proof proof, Duration patience)
            throws NotPresentedException, InterruptedException {
        show(proof, answer(proof));
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Optional<String> silent = silent(proof);
            if (silent.isEmpty()) {
                return;
            }
            if (System.nanoTime() - end > 0) {
                throw new NotPresentedException(
                        "the gateway does not answer "
                                + proof.type().text()
                                + " for "
                                + proof.identifier()
                                + " at "
                                + silent.get());
            }
            boolean _ = new Semaphore(0).tryAcquire(BETWEEN.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void withdraw(Proof proof) {
        lock.lock();
        try {
            if (shown.remove(proof) != null) {
                submit();
            }
        } finally {
            lock.unlock();
        }
    }

    private void show(Proof proof, AcmeAnswer answer) {
        lock.lock();
        try {
            shown.put(proof, answer);
            submit();
        } finally {
            lock.unlock();
        }
    }

    private void submit() {
        answers.accept(List.copyOf(shown.values()));
    }

    private static AcmeAnswer answer(Proof proof) throws NotPresentedException {
        return switch (proof) {
            case Proof.Http http ->
                    new AcmeAnswer.Http(
                            new Challenge(
                                    http.identifier() instanceof Identifier.Dns dns
                                            ? dns.text()
                                            : Challenge.ANY_HOST,
                                    http.token()),
                            http.keyAuthorization());
            case Proof.TlsAlpn(Identifier _, AlpnCertificate certificate) ->
                    new AcmeAnswer.TlsAlpn(certificate.serverName(), certificate.bundle());
            case Proof.Dns _ ->
                    throw new NotPresentedException("the gateway writes no DNS records itself");
        };
    }

    /** A port that does not answer with the proof yet. */
    private Optional<String> silent(Proof proof) {
        List<Replica> all = replicas.get();
        if (all.isEmpty()) {
            return Optional.of(
                    "all replicas: none has been ready for two seconds, or the API server has not said yet");
        }
        for (Replica replica : all) {
            Optional<InetSocketAddress> silent =
                    switch (proof) {
                        case Proof.Http http ->
                                replica.http().stream()
                                        .filter(port -> !ChallengeProbe.answers(port, http))
                                        .findFirst();
                        case Proof.TlsAlpn alpn ->
                                replica.https().stream()
                                        .filter(port -> !ChallengeProbe.answers(port, alpn))
                                        .findFirst();
                        case Proof.Dns _ -> Optional.empty();
                    };
            if (silent.isPresent()) {
                return silent.map(InetSocketAddress::toString);
            }
        }
        return Optional.empty();
    }
}
