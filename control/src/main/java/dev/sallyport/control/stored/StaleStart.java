package dev.sallyport.control.stored;

import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.resource.Origin;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.secretsync.SecretMaterial;
import io.fabric8.kubernetes.api.model.networking.v1.IngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.IngressSpec;
import io.fabric8.kubernetes.api.model.networking.v1.IngressTLS;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands between a source and the reconciler: where the source has nothing to say at the start, it
 * hands over the stored state, and tells the source what is in service now, so that the first
 * update of the source takes back what is gone.
 */
final class StaleStart {
    /*
     * Concurrency: everything under the lock of this object, which is held while updates are handed
     * on, so that they arrive in order. `staleSince` is also read without it.
     */
    private static final Logger LOG = LoggerFactory.getLogger(StaleStart.class);

    /** What findings about the file are filed under. */
    static final String FILE_STEP = "stored state";

    private enum Phase {
        /** Neither the source nor the file has spoken. */
        SILENT,
        /** The stored state is in service. */
        STALE,
        /** The source has spoken. */
        FRESH
    }

    private final Consumer<SourceUpdate> sink;
    private final BiConsumer<Collection<Resource>, Duration> expectations;
    private final Optional<ObjectRef> defaultCertificate;
    private final Optional<AcmeRules> acme;
    private final InstantSource time;
    private final Map<String, List<Finding>> pending = new HashMap<>();
    private Phase phase = Phase.SILENT;
    private volatile Optional<Instant> staleSince = Optional.empty();

    /**
     * @param sink the reconciler
     * @param expectations is told what is in service, all but Secrets, if the stored state is, and
     *     how old that is
     * @param defaultCertificate the Secret that counts without being referred to
     * @param acme for which hosts there may be Secrets that nobody refers to
     */
    StaleStart(
            Consumer<SourceUpdate> sink,
            BiConsumer<Collection<Resource>, Duration> expectations,
            Optional<ObjectRef> defaultCertificate,
            Optional<AcmeRules> acme,
            InstantSource time) {
        this.sink = sink;
        this.expectations = expectations;
        this.defaultCertificate = defaultCertificate;
        this.acme = acme;
        this.time = time;
    }

    /** From when what is served is, while it is the stored state. Safe from any thread. */
    Optional<Instant> staleSince() {
        return staleSince;
    }

    /** Whether the source has spoken. */
    synchronized boolean isFresh() {
        return phase == Phase.FRESH;
    }

    /** What the source saw; the first update means that it has all there is. */
    synchronized void submit(SourceUpdate update) {
        SourceUpdate whole = phase == Phase.FRESH ? update : first(update);
        if (phase == Phase.STALE) {
            LOG.atInfo()
                    .addKeyValue("staleSince", staleSince.map(Instant::toString).orElse(""))
                    .log("The API server has answered: what it says is served from now on");
        }
        phase = Phase.FRESH;
        staleSince = Optional.empty();
        sink.accept(whole);
    }

    /**
     * Puts the stored state in service, unless the source has spoken.
     *
     * @param stored what is in the file; empty where there is none
     * @param why the source is not waited for, for people
     */
    synchronized void fallBack(Optional<Parsed<StoredState>> stored, String why) {
        if (phase != Phase.SILENT) {
            return;
        }
        switch (stored.orElse(null)) {
            case null ->
                    LOG.atWarn()
                            .addKeyValue("cause", why)
                            .log(
                                    "There is no stored state yet: nothing is served before the API"
                                            + " server answers");
            case Parsed.Rejected<StoredState>(List<Finding> findings) -> {
                findings.forEach(finding ->
                        LOG.atWarn()
                                .addKeyValue("cause", why)
                                .addKeyValue("text", finding.message())
                                .addKeyValue("advice", finding.advice())
                                .log(
                                        "The stored state is refused: nothing is served before the API"
                                                + " server answers"));
                pending.put(FILE_STEP, findings); // told with the first update
            }
            case Parsed.Usable<StoredState>(StoredState state, _) -> serve(state, why);
        }
    }

    private void serve(StoredState state, String why) {
        List<ResourceChange> changes = new ArrayList<>();
        Set<ObjectRef> unknown = new HashSet<>();
        defaultCertificate.ifPresent(unknown::add);
        for (Resource object : state.objects()) {
            changes.add(ResourceChange.put(object));
            if (object instanceof Resource.OfIngress ingress) {
                unknown.addAll(secretsOf(ingress));
                acme.ifPresent(rules -> unknown.addAll(issuedFor(ingress, rules)));
            }
        }
        for (StoredCertificate certificate : state.certificates()) {
            changes.add(ResourceChange.put(secret(certificate)));
            unknown.remove(certificate.secret());
        }
        LOG.atWarn()
                .addKeyValue("cause", why)
                .addKeyValue("asOf", state.asOf())
                .addKeyValue("objects", state.objects().size())
                .addKeyValue("certificates", state.certificates().size())
                .log("Serving the last known good state until the API server answers");
        phase = Phase.STALE;
        staleSince = Optional.of(state.asOf());
        Map<String, List<Finding>> findings =
                Map.of(
                        SourceUpdate.STALENESS,
                        List.of(stale(state.asOf(), why)),
                        FILE_STEP,
                        state.findings());
        sink.accept(new SourceUpdate(changes, findings, unknown));
        Duration age = Duration.between(state.asOf(), time.instant());
        expectations.accept(state.objects(), age.isNegative() ? Duration.ZERO : age);
    }

    /** Of a Secret that had nothing in service nothing is known. */
    private static Set<ObjectRef> secretsOf(Resource.OfIngress resource) {
        IngressSpec spec = resource.ingress().getSpec();
        Set<ObjectRef> secrets = new HashSet<>();
        if (spec != null && spec.getTls() != null) {
            for (IngressTLS section : spec.getTls()) {
                String name = section == null ? null : section.getSecretName();
                if (name != null) {
                    secrets.add(new ObjectRef("Secret", resource.ref().namespace(), name));
                }
            }
        }
        return secrets;
    }

    private static Set<ObjectRef> issuedFor(Resource.OfIngress resource, AcmeRules rules) {
        IngressSpec spec = resource.ingress().getSpec();
        if (spec == null) {
            return Set.of();
        }
        return Stream.concat(
                        present(spec.getRules()).map(IngressRule::getHost),
                        present(spec.getTls()).flatMap(section -> present(section.getHosts())))
                .filter(Objects::nonNull)
                .flatMap(host -> Hostname.tryParse(host).stream())
                .map(host -> rules.secret(CertificateId.of(host)))
                .collect(Collectors.toSet());
    }

    private static <T> Stream<T> present(@Nullable List<T> listed) {
        return listed == null ? Stream.empty() : listed.stream().filter(Objects::nonNull);
    }

    private static Resource secret(StoredCertificate certificate) {
        return new Resource.OfSecret(
                SecretMaterial.of(
                        certificate.secret(),
                        certificate.version(),
                        certificate.digest(),
                        certificate.bundle()),
                Origin.API_SERVER);
    }

    /** The first update of the source, with what there was to say before. */
    private SourceUpdate first(SourceUpdate update) {
        Map<String, List<Finding>> findings = new HashMap<>(update.findings());
        findings.putAll(pending);
        pending.clear();
        if (phase == Phase.STALE) {
            findings.put(SourceUpdate.STALENESS, List.of());
            findings.put(FILE_STEP, List.of());
        }
        return new SourceUpdate(update.changes(), findings, update.unreadable());
    }

    private static Finding stale(Instant asOf, String why) {
        return Finding.of(
                Reason.STATE_STALE,
                LastKnownGood.REF,
                "what is served was stored at "
                        + asOf
                        + ", since the API server has not listed its objects yet: "
                        + why,
                "Look at the API server, and at the gateway's way to it; what changed meanwhile is"
                        + " served as soon as it answers.");
    }
}
