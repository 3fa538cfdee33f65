package dev.sallyport.control.event;

import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventSeries;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * Events of {@code events.k8s.io/v1}: the rights to {@code create}, {@code get} and {@code patch}
 * them are all it needs. Confined to one thread.
 */
final class ApiEvents implements EventApi {
    private static final String CONTROLLER = "sallyport.dev/gateway";
    private static final int MOST_INSTANCE = 128;

    /** As the API server writes times of Events. */
    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String instance;
    private final InstantSource time;

    /**
     * @param client one that does not retry
     * @param calls bounds each request
     * @param instance of the gateway: the Pod's name
     * @param time for what people read
     */
    ApiEvents(KubernetesClient client, BoundedCalls calls, String instance, InstantSource time) {
        this.client = client;
        this.calls = calls;
        this.instance =
                instance.length() <= MOST_INSTANCE
                        ? instance
                        : instance.substring(0, MOST_INSTANCE);
        this.time = time;
    }

    @Override
    public boolean tell(Statement statement, boolean first) throws InterruptedException {
        Event event = event(statement, time.instant());
        try {
            var _ = calls.make(() -> client.resource(event).create());
            return true;
        } catch (RuntimeException thrown) {
            if (ApiFault.of(thrown) != ApiFault.CONFLICT) {
                throw thrown;
            }
            if (!first) {
                repeat(statement);
            }
            return !first;
        }
    }

    private void repeat(Statement statement) throws InterruptedException {
        Resource<Event> there =
                client.events()
                        .v1()
                        .events()
                        .inNamespace(statement.namespace())
                        .withName(statement.name());
        Event before = calls.make(there::get);
        EventSeries series = before == null ? null : before.getSeries();
        int count = series == null || series.getCount() == null ? 1 : series.getCount();
        String patch =
                "{\"series\":{\"count\":"
                        + (count + 1)
                        + ",\"lastObservedTime\":\""
                        + MICROS.format(time.instant())
                        + "\"}}";
        var _ = calls.make(() -> there.patch(PatchContext.of(PatchType.JSON_MERGE), patch));
    }

    private Event event(Statement statement, Instant now) {
        return new EventBuilder()
                .withNewMetadata()
                .withNamespace(statement.namespace())
                .withName(statement.name())
                .endMetadata()
                .withEventTime(new MicroTime(MICROS.format(now)))
                .withType(statement.warning() ? "Warning" : "Normal")
                .withReason(statement.reason())
                .withAction(statement.action())
                .withNote(statement.note())
                .withRegarding(reference(statement.object(), statement.uid()))
                .withReportingController(CONTROLLER)
                .withReportingInstance(instance)
                .build();
    }

    private static ObjectReference reference(ObjectRef object, String uid) {
        return new ObjectReferenceBuilder()
                .withApiVersion(apiVersion(object.kind()))
                .withKind(object.kind())
                .withNamespace(object.namespace().isEmpty() ? null : object.namespace())
                .withName(object.name())
                .withUid(uid.isEmpty() ? null : uid)
                .build();
    }

    /** Of the kinds that sources read. */
    private static String apiVersion(String kind) {
        return switch (kind) {
            case "Ingress", "IngressClass" -> "networking.k8s.io/v1";
            case "EndpointSlice" -> "discovery.k8s.io/v1";
            default -> "v1";
        };
    }
}
