package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Of all objects those that a snapshot was made of. */
public final class UsedObjects {
    private UsedObjects() {}

    /**
     * Our Ingresses, all classes with the parameters of ours, and the Services that routes name
     * with their EndpointSlices. Secrets are left out: what counts of them is in the snapshot.
     */
    public static List<Resource> of(
            ShardedMap<ObjectRef, Resource> all,
            TranslationSettings settings,
            GatewaySnapshot snapshot) {
        List<Resource.OfIngressClass> classes = new ArrayList<>();
        all.forEach((_, resource) -> {
            if (resource instanceof Resource.OfIngressClass ingressClass) {
                classes.add(ingressClass);
            }
        });
        var selection = new ClassSelection(classes, settings);
        Set<ObjectRef> parameters = Set.copyOf(selection.configMaps().values());
        Set<ServiceRef> services = new HashSet<>();
        snapshot.upstreams().forEach((key, _) -> services.add(ServiceRef.of(key)));
        List<Resource> used = new ArrayList<>();
        all.forEach((ref, resource) -> {
            boolean counts =
                    switch (resource) {
                        case Resource.OfIngress ingress ->
                                selection.judge(ingress) instanceof ClassSelection.Verdict.Ours;
                        case Resource.OfIngressClass _ -> true;
                        case Resource.OfConfigMap _ -> parameters.contains(ref);
                        case Resource.OfService _ ->
                                services.contains(new ServiceRef(ref.namespace(), ref.name()));
                        case Resource.OfEndpointSlice slice -> {
                            ServiceRef service = IncrementalTranslator.serviceOf(slice);
                            yield service != null && services.contains(service);
                        }
                        case Resource.OfNamespace _ -> false; // nothing depends on one
                        case Resource.OfAcmeChallenges _ -> false; // over before they could help
                        case Resource.OfSecret _ -> false;
                    };
            if (counts) {
                used.add(resource);
            }
        });
        return used;
    }
}
