package dev.sallyport.control.translate;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.route.HttpsRedirect;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an operator decides about translation, as opposed to what the objects say.
 *
 * @param listeners the ports to bind; go into every snapshot as they are
 * @param ingressClasses names of the classes to serve; empty means every IngressClass whose
 *     controller is {@link #CONTROLLER}, and the name {@link #CLASS_NAME}
 * @param servesAllWithoutClasses whether every Ingress is served while there is no IngressClass at
 *     all: right for a folder, wrong beside other controllers in a cluster
 * @param httpsRedirect how plain requests for hosts with a {@code tls} section are sent to HTTPS;
 *     empty switches that off
 * @param defaultBackend answers what no rule and no Ingress's default backend matches
 * @param defaultCertificate the Secret of the default certificate; while it cannot be used, {@code
 *     fallbackCertificate} stands in
 * @param fallbackCertificate the gateway's self-signed certificate
 * @param strictSni whether handshakes for unknown names are refused rather than answered with the
 *     default certificate
 * @param loopbackEndpoints whether endpoints may be loopback addresses
 * @param externalNames whether Services of type ExternalName are served
 */
public record TranslationSettings(
        List<Listener> listeners,
        Set<String> ingressClasses,
        boolean servesAllWithoutClasses,
        Optional<HttpsRedirect> httpsRedirect,
        Optional<BackendReference> defaultBackend,
        Optional<ObjectRef> defaultCertificate,
        Optional<CertificateSet> fallbackCertificate,
        boolean strictSni,
        boolean loopbackEndpoints,
        boolean externalNames) {

    /** The {@code spec.controller} of IngressClasses that are ours. */
    public static final String CONTROLLER = "sallyport.dev/ingress-controller";

    /** The class name that is ours even where no IngressClass of that name exists. */
    public static final String CLASS_NAME = "sallyport";

    public TranslationSettings {
        listeners = List.copyOf(listeners);
        ingressClasses = Set.copyOf(ingressClasses);
    }

    /** The defaults for a folder: everything is served, loopback and ExternalName allowed, 308. */
    public static TranslationSettings forFolder(
            List<Listener> listeners, Optional<CertificateSet> fallbackCertificate) {
        return new TranslationSettings(
                listeners,
                Set.of(),
                true,
                Optional.of(new HttpsRedirect(308, 443)),
                Optional.empty(),
                Optional.empty(),
                fallbackCertificate,
                false,
                true,
                true);
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
                false,
                Optional.of(new HttpsRedirect(308, 443)),
                Optional.empty(),
                Optional.empty(),
                fallbackCertificate,
                false,
                false,
                false);
    }
}
