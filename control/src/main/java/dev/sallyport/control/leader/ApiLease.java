package dev.sallyport.control.leader;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * The Lease in the API server: {@code get}, {@code create} and {@code update} are all it needs.
 * Confined to one thread.
 */
final class ApiLease implements LeaseStore {
    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String namespace;
    private final String name;
    private @Nullable Lease last; // with what others wrote on it: labels, annotations

    /**
     * @param client one that does not retry, since only the last word counts
     * @param calls bounds each request
     */
    ApiLease(KubernetesClient client, BoundedCalls calls, String namespace, String name) {
        this.client = client;
        this.calls = calls;
        this.namespace = namespace;
        this.name = name;
    }

    @Override
    public Optional<LeaseRecord> read() throws InterruptedException {
        last = calls.make(lease()::get);
        return Optional.ofNullable(last).map(ApiLease::record);
    }

    @Override
    public Outcome create(LeaseRecord wanted) throws InterruptedException {
        Lease made =
                new LeaseBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(name)
                        .endMetadata()
                        .withSpec(spec(wanted, new LeaseSpec()))
                        .build();
        try {
            last = calls.make(() -> client.resource(made).create());
            return Outcome.WRITTEN;
        } catch (RuntimeException thrown) {
            if (ApiFault.of(thrown) == ApiFault.CONFLICT) {
                return Outcome.OUTRUN;
            }
            throw thrown;
        }
    }

    @Override
    public Outcome replace(LeaseRecord wanted) throws InterruptedException {
        Lease before = Objects.requireNonNull(last, "nothing was read");
        LeaseSpec spec =
                before.getSpec() == null
                        ? new LeaseSpec() // somebody made it for us
                        : new LeaseBuilder(before).buildSpec();
        Lease now = new LeaseBuilder(before).withSpec(spec(wanted, spec)).build();
        Callable<Lease> update = () -> client.resource(now).update();
        try {
            last = calls.make(update);
            return Outcome.WRITTEN;
        } catch (RuntimeException thrown) {
            return switch (ApiFault.of(thrown)) {
                case CONFLICT -> Outcome.OUTRUN;
                case GONE -> Outcome.GONE;
                case FORBIDDEN, INVALID, PASSING -> throw thrown;
            };
        }
    }

    private Resource<Lease> lease() {
        return client.leases().inNamespace(namespace).withName(name);
    }

    private static LeaseSpec spec(LeaseRecord wanted, LeaseSpec spec) {
        spec.setHolderIdentity(wanted.holder());
        spec.setLeaseDurationSeconds((int) Math.max(1, wanted.duration().toSeconds()));
        spec.setAcquireTime(wanted.acquired().atZone(ZoneOffset.UTC));
        spec.setRenewTime(wanted.renewed().atZone(ZoneOffset.UTC));
        spec.setLeaseTransitions(wanted.transitions());
        return spec;
    }

    private static LeaseRecord record(Lease lease) {
        LeaseSpec spec = lease.getSpec() == null ? new LeaseSpec() : lease.getSpec();
        return new LeaseRecord(
                Objects.requireNonNullElse(spec.getHolderIdentity(), ""),
                Duration.ofSeconds(Objects.requireNonNullElse(spec.getLeaseDurationSeconds(), 0)),
                instant(spec.getAcquireTime()),
                instant(spec.getRenewTime()),
                Objects.requireNonNullElse(spec.getLeaseTransitions(), 0));
    }

    private static Instant instant(@Nullable ZonedDateTime written) {
        return written == null ? Instant.EPOCH : written.toInstant();
    }
}
