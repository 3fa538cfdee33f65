package dev.sallyport.control.status;

import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.resource.IngressStanding;
import dev.sallyport.control.resource.LoadBalancerAddress;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IngressLoadBalancerIngress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressLoadBalancerIngressBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.List;

/**
 * Writes by server-side apply on the subresource {@code status}: the API server keeps account of
 * what this gateway wrote, and takes just that away again when it is applied without. The right to
 * {@code patch} {@code ingresses/status} is all it needs.
 *
 * <p>Every write names the version it was planned for. Without, an Ingress that was handed over a
 * moment ago would lose what its new controller wrote.
 */
final class ApiStatus implements StatusApi {
    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final PatchContext context;

    /**
     * @param client one that does not retry
     * @param calls bounds each request
     * @param manager the field manager
     */
    ApiStatus(KubernetesClient client, BoundedCalls calls, String manager) {
        this.client = client;
        this.calls = calls;
        this.context =
                new PatchContext.Builder()
                        .withPatchType(PatchType.SERVER_SIDE_APPLY)
                        .withFieldManager(manager)
                        .withForce(true) // what another controller left is written over
                        .build();
    }

    @Override
    public void write(StatusPlan.Change change) throws InterruptedException {
        Ingress wanted = wanted(change);
        var _ = calls.make(() -> client.resource(wanted).subresource("status").patch(context));
    }

    private static Ingress wanted(StatusPlan.Change change) {
        IngressStanding onto = change.onto();
        var ingress =
                new IngressBuilder()
                        .withNewMetadata()
                        .withNamespace(onto.ref().namespace())
                        .withName(onto.ref().name())
                        .withUid(onto.version().uid())
                        .withResourceVersion(onto.version().resourceVersion())
                        .endMetadata();
        if (!change.addresses().isEmpty()) {
            ingress.withNewStatus()
                    .withNewLoadBalancer()
                    .withIngress(entries(change.addresses()))
                    .endLoadBalancer()
                    .endStatus();
        }
        return ingress.build();
    }

    private static List<IngressLoadBalancerIngress> entries(List<LoadBalancerAddress> addresses) {
        return addresses.stream()
                .map(address ->
                        switch (address) {
                            case LoadBalancerAddress.Ip(String text) ->
                                    new IngressLoadBalancerIngressBuilder().withIp(text).build();
                            case LoadBalancerAddress.Name(String text) ->
                                    new IngressLoadBalancerIngressBuilder()
                                            .withHostname(text)
                                            .build();
                        })
                .toList();
    }
}
