package dev.sallyport.acme.order;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.NotPresentedException;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.order.Causes.Step;
import dev.sallyport.acme.order.Progress.Station;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.Identifier;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.shredzone.acme4j.Authorization;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.challenge.Challenge;
import org.shredzone.acme4j.challenge.Dns01Challenge;
import org.shredzone.acme4j.challenge.Http01Challenge;
import org.shredzone.acme4j.challenge.TlsAlpn01Challenge;

/**
 * Has the identifiers of one order validated: shows all proofs, then has the CA look for all of
 * them. Withdraws what it showed, however it ends. Used once, by one thread.
 */
final class Validation {
    private final CertificateAuthority authority;
    private final ChallengeBoard board;
    private final OrderTimes times;
    private final Waiting waiting;
    private final Progress progress;
    private final InstantSource clock;

    Validation(
            CertificateAuthority authority,
            ChallengeBoard board,
            OrderTimes times,
            Waiting waiting,
            Progress progress,
            InstantSource clock) {
        this.authority = authority;
        this.board = board;
        this.times = times;
        this.waiting = waiting;
        this.progress = progress;
        this.clock = clock;
    }

    /** An authorization that is asked for, with what is to be shown. */
    private record Asked(Authorization authorization, Challenge challenge, Proof proof) {
        Identifier identifier() {
            return proof.identifier();
        }
    }

    void run(Order order, Set<Identifier> identifiers)
            throws FailedException, InterruptedException {
        List<Authorization> pending = new ArrayList<>();
        List<Asked> all = new ArrayList<>();
        List<Proof> shown = new ArrayList<>();
        try {
            for (Authorization authorization : authorizations(authority, order, identifiers)) {
                Status status = authority.ask(Step.ORDER, identifiers, authorization::getStatus);
                switch (status) {
                    case VALID -> {} // From an order before.
                    case PENDING -> pending.add(authorization);
                    default -> throw failed(authorization, identifiers, Optional.empty());
                }
            }
            for (Authorization authorization : pending) {
                all.add(choose(authorization, identifiers));
            }
            for (Asked asked : all) {
                shown.add(asked.proof());
                present(asked.proof());
            }
            progress.reached(Station.PRESENTED);
            for (Asked asked : all) {
                trigger(asked);
            }
            progress.reached(Station.CHALLENGED);
            for (Asked asked : all) {
                await(asked);
            }
        } catch (FailedException failed) {
            if (failed.why().endsTheOrder()) {
                pending.forEach(each -> giveUp(authority, each, identifiers));
            }
            throw failed;
        } finally {
            shown.forEach(board::withdraw);
        }
    }

    private static List<Authorization> authorizations(
            CertificateAuthority authority, Order order, Set<Identifier> identifiers)
            throws FailedException {
        List<Authorization> authorizations =
                authority.ask(Step.ORDER, identifiers, order::getAuthorizations);
        // A bound of ours: CAs ask for one for each name, or fewer.
        if (authorizations.size() > identifiers.size()) {
            throw new FailedException(
                    new Cause.CaTrouble(
                            "the CA asks for "
                                    + authorizations.size()
                                    + " proofs of "
                                    + identifiers.size()
                                    + " names"));
        }
        return authorizations;
    }

    private Asked choose(Authorization authorization, Set<Identifier> identifiers)
            throws FailedException {
        Identifier identifier = identifier(authorization, identifiers);
        Map<ChallengeType, Challenge> offered = new EnumMap<>(ChallengeType.class);
        for (Challenge each :
                authority.ask(Step.ORDER, identifiers, authorization::getChallenges)) {
            switch (each) {
                case Http01Challenge http -> offered.put(ChallengeType.HTTP_01, http);
                case TlsAlpn01Challenge tls -> offered.put(ChallengeType.TLS_ALPN_01, tls);
                case Dns01Challenge dns -> offered.put(ChallengeType.DNS_01, dns);
                default -> {}
            }
        }
        for (var entry : offered.entrySet()) {
            if (board.takes(entry.getKey(), identifier)) {
                return new Asked(
                        authorization, entry.getValue(), proof(identifier, entry.getValue()));
            }
        }
        throw new FailedException(
                new Cause.NoChallenge(
                        Set.of(identifier),
                        identifier.text()
                                + ": the CA offers "
                                + offered.keySet().stream()
                                        .map(ChallengeType::text)
                                        .collect(Collectors.joining(", "))
                                + ", none of which can be answered here"));
    }

    /** The CA names a wildcard by its parent. */
    private Identifier identifier(Authorization authorization, Set<Identifier> ordered)
            throws FailedException {
        String value =
                authority.ask(
                        Step.ORDER,
                        ordered,
                        () -> String.valueOf(authorization.getIdentifier().toMap().get("value")));
        boolean wildcard = authority.ask(Step.ORDER, ordered, authorization::isWildcard);
        String text = wildcard ? "*." + value : value;
        return ordered.stream()
                .filter(it -> it.text().equals(text))
                .findFirst()
                .orElseThrow(() ->
                        new FailedException(
                                new Cause.CaTrouble(
                                        "the CA asks for a proof of "
                                                + text
                                                + ", which was not ordered")));
    }

    private Proof proof(Identifier identifier, Challenge challenge) throws FailedException {
        return authority.ask(
                Step.ORDER,
                Set.of(identifier),
                () ->
                        switch (challenge) {
                            case Http01Challenge http ->
                                    new Proof.Http(
                                            identifier,
                                            token(http.getToken()),
                                            http.getAuthorization());
                            case TlsAlpn01Challenge tls ->
                                    new Proof.TlsAlpn(
                                            identifier,
                                            AlpnCertificate.of(
                                                    identifier,
                                                    tls.getAuthorization(),
                                                    clock.instant()));
                            case Dns01Challenge dns ->
                                    new Proof.Dns(
                                            identifier, recordName(identifier), dns.getDigest());
                            default ->
                                    throw new IllegalStateException(
                                            "challenge: " + challenge.getType());
                        });
    }

    /** A token becomes a path: what is no token is refused before anybody looks for it. */
    private static String token(String chosen) {
        return new dev.sallyport.model.route.Challenge(
                        dev.sallyport.model.route.Challenge.ANY_HOST, chosen)
                .token();
    }

    private static String recordName(Identifier identifier) {
        String text = identifier.text();
        return "_acme-challenge." + (text.startsWith("*.") ? text.substring(2) : text);
    }

    private void present(Proof proof) throws FailedException, InterruptedException {
        try {
            board.present(proof, times.presenting());
        } catch (NotPresentedException failed) {
            throw new FailedException(
                    new Cause.NotPresented(
                            proof.identifier().text()
                                    + ", "
                                    + proof.type().text()
                                    + ": "
                                    + failed.getMessage()));
        }
    }

    private void trigger(Asked asked) throws FailedException {
        authority.ask(
                Step.VALIDATION,
                Set.of(asked.identifier()),
                () -> {
                    // The CA may be looking already, told so before a crash.
                    if (asked.challenge().getStatus() == Status.PENDING) {
                        asked.challenge().trigger();
                    }
                    return true;
                });
    }

    private void await(Asked asked) throws FailedException, InterruptedException {
        Set<Identifier> about = Set.of(asked.identifier());
        Authorization authorization = asked.authorization();
        Status status =
                waiting.until(
                        "the validation of " + asked.identifier().text(),
                        () -> authority.ask(Step.VALIDATION, about, authorization::fetch),
                        () -> authority.ask(Step.VALIDATION, about, authorization::getStatus),
                        it -> it != Status.PENDING && it != Status.PROCESSING);
        if (status != Status.VALID) {
            throw failed(authorization, about, Optional.of(asked.identifier()));
        }
    }

    private FailedException failed(
            Authorization authorization, Set<Identifier> ordered, Optional<Identifier> known)
            throws FailedException {
        Identifier identifier =
                known.isPresent() ? known.get() : identifier(authorization, ordered);
        Set<Identifier> about = Set.of(identifier);
        Optional<Problem> problem =
                authority.ask(
                        Step.VALIDATION,
                        about,
                        () ->
                                authorization.getChallenges().stream()
                                        .map(Challenge::getError)
                                        .flatMap(Optional::stream)
                                        .findFirst());
        return new FailedException(
                problem.map(it -> Causes.of(it, Step.VALIDATION, about))
                        .orElseGet(() ->
                                new Cause.ValidationFailed(
                                        about,
                                        identifier.text()
                                                + ": the CA does not say why it was not"
                                                + " validated")));
    }

    /** Has all be deactivated that an order left pending: CAs count them. */
    static void giveUp(CertificateAuthority authority, Order order, Set<Identifier> identifiers)
            throws FailedException {
        for (Authorization authorization : authorizations(authority, order, identifiers)) {
            giveUp(authority, authorization, identifiers);
        }
    }

    private static void giveUp(
            CertificateAuthority authority, Authorization authorization, Set<Identifier> about) {
        try {
            authority.ask(
                    Step.VALIDATION,
                    about,
                    () -> {
                        if (authorization.getStatus() == Status.PENDING) {
                            authorization.deactivate();
                        }
                        return true;
                    });
        } catch (FailedException already) {
            // It ends by itself, in days.
        }
    }
}
