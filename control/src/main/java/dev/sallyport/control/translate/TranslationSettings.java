package dev.sallyport.control.translate;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import dev.sallyport.model.upstream.AddressGuard;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an operator decides about translation, as opposed to what the objects say.
 *
 * @param listeners the ports to bind; go into every snapshot as they are
 * @param ingressClasses names of the classes to serve; empty means every IngressClass whose
 *     controller is ours, and the name {@link #CLASS_NAME}
 * @param controllers the {@code spec.controller} of IngressClasses that are ours as well, beside
 *     {@link #CONTROLLER}: of whoever is taken over from
 * @param alone whether nobody else serves these objects, as in a folder: then every Ingress is
 *     served while there is no IngressClass at all, and a class that does not exist is a mistake.
 *     In a cluster other controllers have Ingresses and classes of their own, be it without objects
 * @param redirects whether plain requests for hosts with a {@code tls} section are sent to HTTPS,
 *     unless their class says otherwise
 * @param httpsRedirect how they are, where they are
 * @param defaultBackend answers what no rule and no Ingress's default backend matches
 * @param defaultCertificate the Secret of the default certificate, be it one that is issued by the
 *     gateway itself; while it cannot be used, {@code fallbackCertificate} stands in
 * @param fallbackCertificate the gateway's self-signed certificate
 * @param strictSni whether handshakes for unknown names are refused rather than answered with the
 *     default certificate
 * @param addresses which addresses endpoints may have
 * @param externalNames whether Services of type ExternalName are served
 * @param acme for which hosts certificates are issued by the gateway itself; empty: for none
 */
public record TranslationSettings(
        List<Listener> listeners,
        Set<String> ingressClasses,
        Set<String> controllers,
        boolean alone,
        boolean redirects,
        HttpsRedirect httpsRedirect,
        Optional<BackendReference> defaultBackend,
        Optional<ObjectRef> defaultCertificate,
        Optional<CertificateSet> fallbackCertificate,
        boolean strictSni,
        AddressGuard addresses,
        boolean externalNames,
        Optional<AcmeRules> acme) {

    /** The {@code spec.controller} of IngressClasses that are ours. */
    public static final String CONTROLLER = "sallyport.dev/ingress-controller";

    /** The class name that is ours even where no IngressClass of that name exists. */
    public static final String CLASS_NAME = "sallyport";

    public TranslationSettings {
        listeners = List.copyOf(listeners);
        ingressClasses = Set.copyOf(ingressClasses);
        controllers = Set.copyOf(controllers);
        defaultCertificate =
                defaultCertificate.or(() -> acme.flatMap(AcmeRules::defaultCertificate));
    }

    /** The same, with certificates issued by the gateway itself. */
    public TranslationSettings with(AcmeRules rules) {
        return new TranslationSettings(
                listeners,
                ingressClasses,
                controllers,
                alone,
                redirects,
                httpsRedirect,
                defaultBackend,
                defaultCertificate,
                fallbackCertificate,
                strictSni,
                addresses,
                externalNames,
                Optional.of(rules));
    }

    /** The defaults for a folder: everything is served, loopback and ExternalName allowed, 308. */
    public static TranslationSettings forFolder(
            List<Listener> listeners, Optional<CertificateSet> fallbackCertificate) {
        return new TranslationSettings(
                listeners,
                Set.of(),
                Set.of(),
                true,
                true,
                new HttpsRedirect(308, 443),
                Optional.empty(),
                Optional.empty(),
                fallbackCertificate,
                false,
                new AddressGuard(true),
                true,
                Optional.empty());
    }

    /**
     * The defaults for a cluster, which others write to and serve too: only Ingresses of our
     * classes are served, loopback and ExternalName are refused, 308.
     */
    public static TranslationSettings forCluster(
            List<Listener> listeners, Optional<CertificateSet> fallbackCertificate) {
        return new TranslationSettings(
                listeners,
                Set.of(),
                Set.of(),
                false,
                true,
                new HttpsRedirect(308, 443),
                Optional.empty(),
                Optional.empty(),
                fallbackCertificate,
                false,
                new AddressGuard(false),
                false,
                Optional.empty());
    }
}
