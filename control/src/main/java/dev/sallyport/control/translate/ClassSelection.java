package dev.sallyport.control.translate;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClass;
import io.fabric8.kubernetes.api.model.networking.v1.IngressClassParametersReference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which Ingresses are ours. Where an Ingress has both the legacy annotation and a class name, the
 * annotation counts, as the API asks for ("should still honor that annotation if present").
 */
final class ClassSelection {
    private static final String ANNOTATION = "kubernetes.io/ingress.class";
    private static final String DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";

    private final TranslationSettings settings;
    private final Map<String, Resource.OfIngressClass> classes = new HashMap<>();
    private final Optional<Resource.OfIngressClass> byDefault;
    private final Map<ObjectRef, ObjectRef> configMaps = new TreeMap<>(ObjectRef.ORDER); // by class
    private final List<Finding> findings = new ArrayList<>();

    /** The selection that these classes make. */
    ClassSelection(
            Collection<Resource.OfIngressClass> ingressClasses, TranslationSettings settings) {
        this.settings = settings;
        ingressClasses.forEach(resource -> classes.put(resource.ref().name(), resource));
        List<Resource.OfIngressClass> defaults =
                ingressClasses.stream()
                        .filter(ClassSelection::isDefault)
                        .sorted(NEWEST_FIRST)
                        .toList();
        byDefault = defaults.stream().findFirst();
        if (defaults.size() > 1 && defaults.stream().anyMatch(this::isOurs)) {
            reportAmbiguity(defaults);
        }
        ingressClasses.stream().filter(this::isOurs).forEach(this::readParameters);
        settings.ingressClasses().stream().sorted().forEach(this::reportController);
    }

    /**
     * What the API server does with several defaults: the newest counts, then the first by name.
     */
    private static final Comparator<Resource.OfIngressClass> NEWEST_FIRST =
            Comparator.comparing((Resource.OfIngressClass resource) ->
                            IngressTranslator.createdAt(
                                    resource.ingressClass().getMetadata().getCreationTimestamp()))
                    .reversed()
                    .thenComparing(resource -> resource.ref().name());

    /** Whether an Ingress is ours, and what to tell its author. */
    sealed interface Verdict {
        /**
         * It is served.
         *
         * @param parameters the ConfigMap that its class names
         */
        record Ours(Optional<ObjectRef> parameters) implements Verdict {}

        /** It is not, for others serve it. */
        record Others() implements Verdict {}

        /** It is not, and nobody will. */
        record Unknown(Finding why) implements Verdict {}
    }

    /** Decides about one Ingress. */
    Verdict judge(Resource.OfIngress resource) {
        if (classes.isEmpty() && settings.alone()) {
            return new Verdict.Ours(Optional.empty());
        }
        Ingress ingress = resource.ingress();
        String annotated = annotation(ingress.getMetadata().getAnnotations(), ANNOTATION);
        if (annotated != null && !annotated.isBlank()) {
            return judge(resource, annotated, "metadata.annotations", ANNOTATION);
        }
        String named = ingress.getSpec() == null ? null : ingress.getSpec().getIngressClassName();
        if (named != null && !named.isBlank()) {
            String field = "spec.ingressClassName";
            return judge(resource, named, field, field);
        }
        return byDefault
                .filter(this::isOurs)
                .map(ours -> (Verdict) new Verdict.Ours(parameters(ours.ref())))
                .orElse(new Verdict.Others());
    }

    /**
     * An IngressClass of another controller says that somebody serves it. Where there are other
     * controllers, a class without an object is one of theirs.
     */
    private Verdict judge(Resource.OfIngress resource, String name, String field, String label) {
        if (isOurName(name)) {
            return new Verdict.Ours(parameters(new ObjectRef("IngressClass", "", name)));
        }
        if (classes.containsKey(name) || !settings.alone()) {
            return new Verdict.Others();
        }
        return new Verdict.Unknown(
                new Finding(
                        Reason.CLASS_UNKNOWN,
                        resource.ref(),
                        resource.origin().at(field),
                        label + ": " + name + " (expected: an existing IngressClass)",
                        "Name another class, or create this one: with controller "
                                + TranslationSettings.CONTROLLER
                                + " where it is to be served here, with its own where it is not."));
    }

    /** The ConfigMaps that our classes name, by class. */
    Map<ObjectRef, ObjectRef> configMaps() {
        return Collections.unmodifiableMap(configMaps);
    }

    private Optional<ObjectRef> parameters(ObjectRef ingressClass) {
        return Optional.ofNullable(configMaps.get(ingressClass));
    }

    /** About the classes themselves. */
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    private boolean isOurName(String name) {
        Resource.OfIngressClass found = classes.get(name);
        if (found != null) {
            return isOurs(found);
        }
        return settings.ingressClasses().isEmpty()
                ? name.equals(TranslationSettings.CLASS_NAME)
                : settings.ingressClasses().contains(name);
    }

    private boolean isOurs(Resource.OfIngressClass resource) {
        return isOurController(controller(resource))
                && (settings.ingressClasses().isEmpty()
                        || settings.ingressClasses().contains(resource.ref().name()));
    }

    private boolean isOurController(String name) {
        return name.equals(TranslationSettings.CONTROLLER) || settings.controllers().contains(name);
    }

    private static String controller(Resource.OfIngressClass resource) {
        IngressClass ingressClass = resource.ingressClass();
        String name =
                ingressClass.getSpec() == null ? null : ingressClass.getSpec().getController();
        return name == null ? "" : name;
    }

    private static boolean isDefault(Resource.OfIngressClass resource) {
        return "true"
                .equals(
                        annotation(
                                resource.ingressClass().getMetadata().getAnnotations(),
                                DEFAULT_ANNOTATION));
    }

    private void reportAmbiguity(List<Resource.OfIngressClass> defaults) {
        String counts = defaults.getFirst().ref().name();
        for (Resource.OfIngressClass ignored : defaults.subList(1, defaults.size())) {
            findings.add(
                    new Finding(
                            Reason.CLASS_DEFAULT_AMBIGUOUS,
                            ignored.ref(),
                            ignored.origin().at("metadata.annotations"),
                            "marked as the default class, but so is IngressClass "
                                    + counts
                                    + ", which counts",
                            "Remove the annotation " + DEFAULT_ANNOTATION + " from one of them."));
        }
    }

    private void readParameters(Resource.OfIngressClass resource) {
        IngressClassParametersReference named = resource.ingressClass().getSpec().getParameters();
        Optional<ObjectRef> configMap = ClassParameters.configMap(resource, settings);
        if (configMap.isPresent()) {
            configMaps.put(resource.ref(), configMap.get());
        } else if (named != null) {
            findings.add(
                    new Finding(
                            Reason.CLASS_PARAMETERS_UNSUPPORTED,
                            resource.ref(),
                            resource.origin().at("spec.parameters"),
                            "spec.parameters: "
                                    + described(named)
                                    + (isOwn(resource)
                                            ? " (expected: a ConfigMap, with scope: Namespace and its"
                                                    + " namespace)"
                                            : " (expected: none, of a class that is taken over)"),
                            isOwn(resource)
                                    ? "Name a ConfigMap, or remove spec.parameters; they have no effect."
                                    : "Remove spec.parameters; they have no effect."));
        }
    }

    private static String described(IngressClassParametersReference named) {
        String group = named.getApiGroup() == null ? "" : named.getApiGroup();
        String scope = named.getScope() == null ? "Cluster" : named.getScope();
        return named.getKind()
                + (group.isEmpty() ? "" : "." + group)
                + " "
                + named.getName()
                + ", scope: "
                + scope;
    }

    /** Whether a class is of our own controller, not of one that is taken over from. */
    static boolean isOwn(Resource.OfIngressClass resource) {
        return controller(resource).equals(TranslationSettings.CONTROLLER);
    }

    /** The operator asked for a class whose object says that it is not ours. */
    private void reportController(String name) {
        Resource.OfIngressClass named = classes.get(name);
        if (named != null && !isOurController(controller(named))) {
            findings.add(
                    new Finding(
                            Reason.CLASS_OF_ANOTHER_CONTROLLER,
                            ObjectRef.gateway("ingress-classes"),
                            named.origin().at("spec.controller"),
                            "IngressClass "
                                    + name
                                    + " is to be served, but its controller is "
                                    + controller(named)
                                    + " (expected: "
                                    + TranslationSettings.CONTROLLER
                                    + " or one of ingress.controllers)",
                            "Add its controller to ingress.controllers to take it over, or choose"
                                    + " another class; until then nothing of it is served."));
        }
    }

    private static @Nullable String annotation(
            @Nullable Map<String, String> annotations, String name) {
        return annotations == null ? null : annotations.get(name);
    }
}
