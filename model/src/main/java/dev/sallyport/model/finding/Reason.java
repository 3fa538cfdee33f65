package dev.sallyport.model.finding;

import static dev.sallyport.model.finding.Severity.ERROR;
import static dev.sallyport.model.finding.Severity.INFO;
import static dev.sallyport.model.finding.Severity.WARNING;

/**
 * Why there is a finding: a closed list, so that documentation, metrics and status agree on the
 * words. A reason that makes its object (or the named part of it) unusable has severity {@link
 * Severity#ERROR}.
 */
public enum Reason {
    /** A file cannot be read or is not YAML or JSON; its last good objects stay. */
    FILE_UNREADABLE(ERROR),
    /**
     * A document is YAML, but not an object of its kind: a wrong type, no name, a field that does
     * not fit.
     */
    OBJECT_INVALID(ERROR),
    /** Another file, earlier by path, defines the same object. */
    OBJECT_DUPLICATE(ERROR),
    /** A bound on sizes or counts is exceeded. */
    LIMIT_EXCEEDED(ERROR),

    /** The Ingress names a class of which no IngressClass exists; nobody serves it. */
    CLASS_UNKNOWN(ERROR),
    /** The configuration asks for an IngressClass whose controller is another one. */
    CLASS_OF_ANOTHER_CONTROLLER(WARNING),
    /** More than one IngressClass is marked as the default. */
    CLASS_DEFAULT_AMBIGUOUS(WARNING),
    /** An IngressClass has parameters that this gateway does not know. */
    CLASS_PARAMETERS_UNSUPPORTED(WARNING),
    /**
     * The ConfigMap with an IngressClass's parameters does not exist, or may not be read; what it
     * said last holds, else the configuration.
     */
    CLASS_PARAMETERS_MISSING(ERROR),
    /** A parameter of an IngressClass is unknown, or its value is; the others hold. */
    CLASS_PARAMETERS_INVALID(ERROR),
    /** A host is not a DNS name. */
    HOST_INVALID(ERROR),
    /** A path does not start with a slash, or is not what its path type asks for. */
    PATH_INVALID(ERROR),
    /** An older object (then the first by namespace and name) has this host and path already. */
    ROUTE_CONFLICT(ERROR),
    /** A backend is a {@code resource}, which this gateway cannot serve. */
    BACKEND_RESOURCE_UNSUPPORTED(ERROR),
    /** The Service that a backend names does not exist; requests are answered 503. */
    SERVICE_MISSING(ERROR),
    /** The Service has no port of this name or number; requests are answered 503. */
    SERVICE_PORT_MISSING(ERROR),
    /** The Service is of a kind that cannot be a backend. */
    SERVICE_UNSUPPORTED(ERROR),
    /** The Service has no ready endpoint; requests are answered 503. */
    SERVICE_WITHOUT_ENDPOINTS(WARNING),
    /**
     * The Service has no ready endpoint since the API server was away; those that were ready stay
     * in service for a time.
     */
    READINESS_IN_DOUBT(WARNING),
    /**
     * An endpoint address is not allowed as a target (loopback, link-local, metadata, the gateway's
     * own).
     */
    ENDPOINT_FORBIDDEN(ERROR),

    /** What is to answer a challenge is not there yet; normal for some seconds. */
    SOLVER_NOT_READY(INFO),

    /**
     * The Secret does not exist; a last good certificate stays in service, else the default
     * certificate.
     */
    SECRET_MISSING(ERROR),
    /** The Secret does not exist yet, but cert-manager was asked to have it issued. */
    CERTIFICATE_PENDING(WARNING),
    /** The Secret was deleted; its last good certificate stays in service. */
    SECRET_DELETED(ERROR),
    /** The Secret lacks {@code tls.crt} or {@code tls.key}, or they are empty. */
    SECRET_INCOMPLETE(ERROR),
    /** {@code tls.crt} or {@code tls.key} is larger than allowed; it was not parsed. */
    SECRET_TOO_LARGE(ERROR),
    /** {@code tls.crt} holds no readable certificate. */
    CERTIFICATE_UNREADABLE(ERROR),
    /** {@code tls.key} holds no readable private key. */
    KEY_UNREADABLE(ERROR),
    /** {@code tls.key} is encrypted. */
    KEY_ENCRYPTED(ERROR),
    /** The private key does not belong to the leaf certificate. */
    KEY_MISMATCH(ERROR),
    /** The key is too weak (RSA below 2048 bits, an unknown curve). */
    KEY_TOO_WEAK(ERROR),
    /** The key's algorithm cannot be served. */
    KEY_UNSUPPORTED(ERROR),
    /** The leaf is signed with an algorithm that no client accepts any more. */
    SIGNATURE_TOO_WEAK(ERROR),
    /** The leaf certificate names no host at all. */
    CERTIFICATE_WITHOUT_NAMES(ERROR),
    /** The certificates do not form a chain from the leaf upwards; they are served as they are. */
    CHAIN_BROKEN(WARNING),
    /** The certificate has expired; it is served all the same, since clients decide. */
    CERTIFICATE_EXPIRED(WARNING),
    /** The certificate is not valid yet; the one before stays in service. */
    CERTIFICATE_NOT_YET_VALID(ERROR),
    /** The certificate does not cover the host it is meant for; it is served all the same. */
    CERTIFICATE_HOST_MISMATCH(WARNING),
    /** The certificate expires soon. */
    CERTIFICATE_EXPIRES_SOON(WARNING),
    /** A temporary certificate that an issuer made until the real one is there. */
    CERTIFICATE_TEMPORARY(INFO),
    /** Two Ingresses ask for different certificates for one host; the older one's comes first. */
    CERTIFICATE_CONFLICT(WARNING),
    /** The native TLS library refused a certificate that parsed. */
    CERTIFICATE_REFUSED(ERROR),

    /** An issuer, or who may have certificates ordered, is not configured soundly. */
    ISSUER_INVALID(ERROR),
    /** An object names an issuer that is not configured. */
    ISSUER_UNKNOWN(ERROR),
    /** The object asks for an ACME certificate, and the gateway has no issuer. */
    ACME_NOT_CONFIGURED(WARNING),
    /** The object's namespace may not have a certificate ordered for the host. */
    HOST_NOT_ALLOWED(ERROR),
    /** A wildcard host is to have a certificate issued, but only DNS-01 could prove it. */
    WILDCARD_NOT_PROVABLE(ERROR),
    /** A stored account, order or certificate is damaged or cannot be read. */
    ACME_STATE_DAMAGED(ERROR),
    /** Nothing can be issued at all: what is stored cannot be read, or written. */
    ACME_NOT_WORKING(ERROR),
    /** The order for a host's certificate came to nothing; it is tried again. */
    ACME_ORDER_FAILED(WARNING),
    /** It came to nothing so often that it does not get well by itself; it is tried rarely. */
    ACME_GIVEN_UP(ERROR),
    /** The CA lets nothing more be ordered for a host now, or would not by what is known of it. */
    ACME_RATE_LIMITED(WARNING),
    /** The CA wants something of people before it issues to our account. */
    ACME_ACCOUNT_REFUSED(ERROR),
    /** The CA never issues for a host, or offers no challenge that we can answer. */
    ACME_NAME_REFUSED(ERROR),

    /**
     * The API server has not answered since the start: what is served was stored while it did, and
     * changes since then are not known.
     */
    STATE_STALE(WARNING),
    /**
     * The stored state is damaged, foreign or sealed with another key, and is not used; or a part
     * of it is of another version, and is left out.
     */
    STORED_STATE_REFUSED(ERROR),
    /** The stored state could not be written; the file before stays. */
    STORED_STATE_NOT_WRITTEN(WARNING),

    /** A listener could not be bound. */
    LISTENER_NOT_BOUND(ERROR),

    /** The API server does not answer; what was known stays in service. */
    API_SERVER_UNREACHABLE(WARNING),
    /** A watch does not come back, though others do; what it told of stays in service. */
    WATCH_INTERRUPTED(WARNING),
    /** The gateway has no right to watch something that it needs. */
    WATCH_FORBIDDEN(ERROR),
    /** The gateway has no right to watch something that it can do without. */
    WATCH_LIMITED(INFO),
    /** A list after a gap lacks half of all objects or more; they stay in service for a while. */
    LIST_HELD_BACK(WARNING),
    /** A namespace that is to be watched does not exist. */
    NAMESPACE_MISSING(WARNING),
    /** The gateway has no right to read a Secret that is referred to. */
    SECRET_FORBIDDEN(ERROR),
    /** So many Secrets are watched one by one that further ones are only read now and then. */
    SECRETS_READ_IN_TURN(WARNING);

    private final Severity severity;

    Reason(Severity severity) {
        this.severity = severity;
    }

    /** How much it matters. */
    public Severity severity() {
        return severity;
    }

    /** The reason as Kubernetes conditions and Events write it: {@code SecretMissing}. */
    public String camelCase() {
        var text = new StringBuilder();
        for (String word : name().split("_", -1)) {
            text.append(word.charAt(0));
            for (int i = 1; i < word.length(); i++) {
                text.append(Character.toLowerCase(word.charAt(i)));
            }
        }
        return text.toString();
    }
}
