package dev.sallyport.app.telemetry;

import java.util.List;

/**
 * The metrics of the control side and of what is served; those of traffic are the data plane's own.
 */
public enum GatewayMetric {
    READY("ready", "1 when traffic should be sent here."),
    CERTIFICATE_NOT_AFTER(
            "certificate_not_after_seconds",
            "Until when the certificate that is served for a host is valid, in seconds since 1970.",
            "host",
            "key_type",
            "serial",
            "source"),
    CERTIFICATE_LOADED(
            "certificate_loaded_seconds",
            "When the certificate that is served for a host was loaded, in seconds since 1970.",
            "host",
            "key_type",
            "serial",
            "source"),
    CERTIFICATE_SERVED(
            "certificate_served_seconds",
            "When the certificate that is served for a host was first in service, in seconds since 1970;"
                    + " resource_version is its Secret's newest with these contents.",
            "host",
            "key_type",
            "serial",
            "source",
            "resource_version"),
    SECRET_SERVED_VERSION(
            "secret_served_resource_version",
            "The newest resourceVersion of a Secret whose contents are served; another one than"
                    + " kube-state-metrics' kube_secret_metadata_resource_version for more than a moment"
                    + " means that a change was not seen or not taken.",
            "namespace",
            "secret"),
    SECRET_UNSERVED(
            "secret_unserved",
            "1 while the contents of a Secret that something refers to are not what is served.",
            "namespace",
            "secret",
            "reason"),
    FINDINGS("findings", "What is wrong or worth knowing about objects.", "severity", "reason"),
    OBJECTS(
            "objects",
            "Objects that are kept: of a cluster's Secrets those that something refers to, or did.",
            "kind"),
    HOSTS("hosts", "Host names with routes or a redirect."),
    SOURCE_AGE(
            "source_age_seconds",
            "How long ago it was last known that nothing of the source goes unseen: when the whole folder was"
                    + " last compared, or the most silent watch of the cluster last heard of. Much more than the"
                    + " poll interval, or than 15 s, means that changes may go unseen."),
    SOURCE_HELD_BACK(
            "source_held_back_objects",
            "Objects that stay in service though a list of the cluster after a gap does not have them."),
    LEADER(
            "leader",
            "1 on the replica that writes status and Events; absent where nobody is to write any."),
    STATUS_WRITES("status_writes_total", "Statuses of Ingresses that this replica wrote."),
    STATUS_WRITE_FAILURES(
            "status_write_failures_total",
            "Statuses of Ingresses that could not be written, or not at once: conflicts too."),
    EVENTS("events_total", "Events that this replica wrote.", "reason"),
    EVENTS_DROPPED(
            "events_dropped_total",
            "Events that were not written: too many, or refused (these are tried again every"
                    + " minute). What they would have said is in /api/findings."),
    STALE(
            "stale",
            "1 while the last known good state is served, since the API server has not answered since"
                    + " the start; source_age_seconds then counts from when it was stored."),
    STORED_STATE(
            "stored_state_timestamp_seconds",
            "From when the state in the last known good file is, in seconds since 1970; there is none"
                    + " before it was read or written."),
    STORED_STATE_BYTES(
            "stored_state_bytes", "The size of the last known good file, once it was written."),
    STORED_STATE_WRITES("stored_state_writes_total", "How often that file was written."),
    STORED_STATE_FAILURES(
            "stored_state_failures_total",
            "How often that file could not be written; the one before stayed."),
    ACME_LEADS(
            "acme_leads",
            "1 on the replica that orders certificates; all of sallyport_acme_… is there only where ACME is"
                    + " on, and only the one that leads knows all of it."),
    ACME_TROUBLE(
            "acme_trouble",
            "1 while nothing can be issued at all: what is stored cannot be read, or written."),
    ACME_CERTIFICATES(
            "acme_certificates",
            "Certificates of the gateway's own: valid, missing (not there, or expired), failing (its last"
                    + " order came to nothing), ordering, covered (others serve the host), gone (nobody wants"
                    + " it any more).",
            "state"),
    ACME_ORDERS("acme_orders_total", "Orders that were begun, or gone on with after a start."),
    ACME_ORDERS_ISSUED("acme_orders_issued_total", "Orders that came to a certificate."),
    ACME_ORDERS_FAILED("acme_orders_failed_total", "Orders that came to nothing.", "cause"),
    ACME_ORDERS_UNDER_WAY("acme_orders_under_way", "Orders that are being worked on."),
    ACME_REQUESTS("acme_requests_total", "Requests that a CA was sent.", "issuer"),
    ACME_NEXT_RENEWAL(
            "acme_next_renewal_timestamp_seconds",
            "When the next certificate is renewed as things are, in seconds since 1970; there is none"
                    + " where none is kept."),
    ACME_FIRST_EXPIRY(
            "acme_first_expiry_timestamp_seconds",
            "When the first certificate expires that is still wanted, in seconds since 1970; there is none"
                    + " where none is kept."),
    ACME_FAILING_SINCE(
            "acme_failing_since_timestamp_seconds",
            "Since when orders for the same certificate come to nothing, the longest, in seconds since"
                    + " 1970; there is none where none does."),
    ACME_FAILING_FIRST_EXPIRY(
            "acme_failing_first_expiry_timestamp_seconds",
            "When the first of those certificates expires whose last order came to nothing, or that is due"
                    + " and cannot be ordered, in seconds since 1970; there is none where no such"
                    + " certificate is kept."),
    RECONCILES("reconciles_total", "Rounds in which changes were translated."),
    SNAPSHOTS_PUBLISHED("snapshots_published_total", "Rounds that put a new snapshot in service."),
    RECONCILE_FAILURES(
            "reconcile_failures_total",
            "Rounds that a bug ended; the snapshot before stayed in service."),
    RECONCILE_DURATION("reconcile_last_duration_seconds", "How long the last round took."),
    CONFIG_APPLIED(
            "config_applied_timestamp_seconds",
            "When a snapshot was last put in service, in seconds since 1970.");

    private final String word;
    private final String help;
    private final String labels;

    GatewayMetric(String word, String help, String... labels) {
        this.word = word;
        this.help = help;
        this.labels = String.join(",", labels);
    }

    /** As it is exported. */
    public String exportedName() {
        return "sallyport_" + word;
    }

    /** One sentence for people. */
    public String help() {
        return help;
    }

    /** Label names. */
    public List<String> labels() {
        return labels.isEmpty() ? List.of() : List.of(labels.split(",", -1));
    }

    boolean counter() {
        return word.endsWith("_total");
    }
}
