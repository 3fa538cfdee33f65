package dev.sallyport.app.config;

import dev.sallyport.control.cluster.SecretAccess;
import dev.sallyport.control.translate.BackendReference;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import dev.sallyport.proxy.ProxySettings.AccessLogSettings;
import dev.sallyport.proxy.ProxySettings.EscapedSlashes;
import dev.sallyport.proxy.ProxySettings.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Everything that can be configured: keys, types, ranges, defaults and what they mean, from which
 * {@code docs/configuration.md} is made. Immutable. Reasons for the defaults are in {@code
 * docs/defaults.md}; a test holds the parts' own defaults at these.
 */
public record GatewayConfig(
        @Key("The folder of manifests to serve; without it, a cluster's objects are served.")
                Optional<Path> resources,
        Kubernetes kubernetes,
        Listeners listeners,
        Tls tls,
        Redirect redirect,
        Hsts hsts,
        Ingress ingress,
        Acme acme,
        Folder folder,
        Reconcile reconcile,
        Limits limits,
        Timeouts timeouts,
        Forwarding forwarding,
        AccessLog accessLog,
        EventLoops eventLoops,
        Log log) {

    /** All defaults where a folder is served. */
    public static final GatewayConfig DEFAULT = defaults(Ingress.DEFAULT);

    /** All defaults where a cluster's objects are served, beside other controllers perhaps. */
    public static final GatewayConfig IN_CLUSTER = defaults(Ingress.IN_CLUSTER);

    private static GatewayConfig defaults(Ingress ingress) {
        return new GatewayConfig(
                Optional.empty(),
                Kubernetes.DEFAULT,
                Listeners.DEFAULT,
                Tls.DEFAULT,
                Redirect.DEFAULT,
                Hsts.DEFAULT,
                ingress,
                Acme.DEFAULT,
                Folder.DEFAULT,
                Reconcile.DEFAULT,
                Limits.DEFAULT,
                Timeouts.DEFAULT,
                Forwarding.DEFAULT,
                AccessLog.DEFAULT,
                EventLoops.DEFAULT,
                Log.DEFAULT);
    }

    /** The API server whose objects are served, and what is written back to it. */
    public record Kubernetes(
            @Key(
                            "The kubeconfig whose current context names the API server; without it, the service"
                                    + " account of the pod that the gateway runs in.")
                    Optional<Path> kubeconfig,
            @Key("Watch only these namespaces; empty means all.") List<String> watchNamespaces,
            @Key(
                            "How Secrets are found: `by-type` lists and watches those of type `kubernetes.io/tls`,"
                                    + " and watches each other one that something refers to by itself; `by-name`"
                                    + " watches each by itself and needs no right to list them all.")
                    SecretAccess secrets,
            @Key(
                            "The addresses of the gateway, for the status of Ingresses; instead of"
                                    + " `publish-service`.")
                    List<PublishAddress> publishAddresses,
            @Key(
                            "The Service in front of the gateway, whose addresses the status of Ingresses gets.")
                    Optional<NamespacedName> publishService,
            @Key(
                            "The Lease by which replicas choose the one that writes; gateways of different"
                                    + " classes in one namespace need Leases of their own.")
                    String leaseName,
            @Key(
                            "The Lease's namespace; by default the variable `POD_NAMESPACE`, else that of the"
                                    + " kubeconfig's context or service account, else `default`.")
                    Optional<String> leaseNamespace,
            @Key("Write the status of Ingresses.") boolean status,
            @Key("Write Events about findings.") boolean events,
            @Key(
                            "How long a list that lacks half of what was there, right after an error, is not"
                                    + " obeyed; then a second list must agree. For five times as"
                                    + " long after an outage of the API server endpoints are used"
                                    + " on that are not ready any more, where no other is.")
                    Duration holdBack,
            LastKnownGood lastKnownGood) {
        private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
        private static final Pattern SUBDOMAIN =
                Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

        static final Kubernetes DEFAULT =
                new Kubernetes(
                        Optional.empty(),
                        List.of(),
                        SecretAccess.BY_TYPE,
                        List.of(),
                        Optional.empty(),
                        "sallyport-leader",
                        Optional.empty(),
                        true,
                        true,
                        Duration.ofSeconds(60),
                        LastKnownGood.DEFAULT);

        public Kubernetes {
            watchNamespaces = List.copyOf(watchNamespaces);
            publishAddresses = List.copyOf(publishAddresses);
            for (String namespace : watchNamespaces) {
                require(LABEL, "watch-namespaces", namespace, "the name of a namespace");
            }
            leaseNamespace.ifPresent(namespace ->
                    require(LABEL, "lease-namespace", namespace, "the name of a namespace"));
            require(SUBDOMAIN, "lease-name", leaseName, "lower-case letters, digits, '-' and '.'");
            if (!publishAddresses.isEmpty() && publishService.isPresent()) {
                throw new IllegalArgumentException(
                        "publish-addresses and publish-service (expected: one of them)");
            }
        }

        private static void require(Pattern form, String key, String value, String expected) {
            if (!form.matcher(value).matches()) {
                throw new IllegalArgumentException(
                        key + ": " + value + " (expected: " + expected + ")");
            }
        }
    }

    /** What is served as a file, for a start while the API server is away. */
    public record LastKnownGood(
            @Key(
                            "The file that what is served is kept in, sealed, private keys included; without it"
                                    + " nothing is kept. It is replaced as a whole: the folder must be"
                                    + " writable, and no other gateway may use the file.")
                    Optional<Path> file,
            @Key(
                            "The key that the file is sealed with: 32 random bytes as they are, in hexadecimal or"
                                    + " in base64, in a file that others cannot read.")
                    Optional<Path> keyFile,
            @Key(
                            value = "How often it is looked whether there is anything new to keep.",
                            min = 100,
                            max = 3_600_000)
                    Duration interval,
            @Key(
                            value =
                                    "How long the API server may keep silent at the start before the file is"
                                            + " served; not a moment where it cannot be reached.",
                            min = 1,
                            max = 600_000)
                    Duration patience) {
        static final LastKnownGood DEFAULT =
                new LastKnownGood(
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(2));

        public LastKnownGood {
            if (file.isPresent() != keyFile.isPresent()) {
                throw new IllegalArgumentException(
                        file.isPresent()
                                ? "key-file: missing (expected: the key to seal the file with; make one"
                                        + " with: openssl rand -base64 32)"
                                : "file: missing (expected: where to keep what is served, as there is a"
                                        + " key-file)");
            }
        }
    }

    /** Ports. */
    public record Listeners(
            @Key("Where plain HTTP is served; may be empty.") List<BindAddress> http,
            @Key(
                            "Where HTTPS is served; may be empty. An entry is an address, or a mapping of `address`"
                                    + " and what differs from the section `tls`: `profile`, `client-authentication`.")
                    List<HttpsListener> https,
            @Key("The admin port: health, metrics and what is served. Keep it away from clients.")
                    BindAddress admin) {

        static final Listeners DEFAULT =
                new Listeners(
                        List.of(new BindAddress("0.0.0.0", 8080)),
                        List.of(HttpsListener.at(new BindAddress("0.0.0.0", 8443))),
                        new BindAddress("127.0.0.1", 9090));

        public Listeners {
            http = List.copyOf(http);
            https = List.copyOf(https);
            if (http.isEmpty() && https.isEmpty()) {
                throw new IllegalArgumentException(
                        "no listeners (expected: at least one address in http or https)");
            }
            Set<BindAddress> taken = new HashSet<>();
            if (admin.port() != 0) {
                taken.add(admin);
            }
            http.forEach(address -> claim(taken, address));
            https.forEach(listener -> claim(taken, listener.address()));
        }

        private static void claim(Set<BindAddress> taken, BindAddress address) {
            if (address.port() != 0 && !taken.add(address)) {
                throw new IllegalArgumentException(
                        address + " is used twice (expected: an address of its own for each port)");
            }
        }
    }

    /** One HTTPS port; what is empty is taken from the section {@code tls}. */
    public record HttpsListener(
            @Key("Where to listen.") BindAddress address,
            @Key("TLS versions and cipher suites.") Optional<TlsProfile> profile,
            @Key("Client certificates.") Optional<ClientCertificates> clientAuthentication) {

        /** With nothing of its own. */
        static HttpsListener at(BindAddress address) {
            return new HttpsListener(address, Optional.empty(), Optional.empty());
        }

        /** Whether there is more to it than the address. */
        boolean special() {
            return profile.isPresent() || clientAuthentication.isPresent();
        }

        @Override
        public String toString() {
            return address
                    + profile.map(it -> " profile=" + Words.kebab(it.name())).orElse("")
                    + clientAuthentication.map(it -> " " + it).orElse("");
        }
    }

    /** TLS towards clients. */
    public record Tls(
            @Key("Mozilla's recommendation to follow: `modern` is TLS 1.3 only.")
                    TlsProfile profile,
            @Key(
                            value = "Key exchange groups in order of preference.",
                            oneOf = {"X25519MLKEM768", "X25519", "P-256", "P-384", "P-521"})
                    List<String> groups,
            @Key(
                            value = "ALPN protocols in order of preference.",
                            oneOf = {"h2", "http/1.1"})
                    List<String> applicationProtocols,
            ClientCertificates clientAuthentication,
            @Key(
                            "The Secret (`namespace/name`) whose certificate is served where no other fits; without"
                                    + " it one is made at start that nobody trusts.")
                    Optional<NamespacedName> defaultCertificate,
            @Key(
                            "Refuse handshakes for unknown names (`unrecognized_name`) instead of serving the default"
                                    + " certificate.")
                    boolean strictSni,
            @Key(
                            value =
                                    "Certificates that the native library holds at a time; others are loaded when a"
                                            + " handshake asks for them.",
                            min = 1,
                            max = 10_000_000)
                    int cachedCredentials) {
        static final Tls DEFAULT =
                new Tls(
                        TlsProfile.INTERMEDIATE,
                        TlsPolicy.DEFAULT_GROUPS,
                        TlsPolicy.DEFAULT.applicationProtocols(),
                        ClientCertificates.DEFAULT,
                        Optional.empty(),
                        false,
                        10_000);

        public Tls {
            groups = List.copyOf(groups);
            applicationProtocols = List.copyOf(applicationProtocols);
            requireSome("groups", groups);
            requireSome("application-protocols", applicationProtocols);
        }

        private static void requireSome(String key, List<String> values) {
            if (values.isEmpty()) {
                throw new IllegalArgumentException(key + ": empty (expected: at least one)");
            }
        }
    }

    /** Whether clients present certificates of their own. */
    public record ClientCertificates(
            @Key("Whether clients are asked for a certificate, and whether they must have one.")
                    Mode mode,
            @Key("The authorities that may have issued them, as PEM.") Optional<Path> caFile) {

        /** How much clients are asked for. */
        public enum Mode {
            NONE,
            OPTIONAL,
            REQUIRED
        }

        static final ClientCertificates DEFAULT =
                new ClientCertificates(Mode.NONE, Optional.empty());

        public ClientCertificates {
            if (mode != Mode.NONE && caFile.isEmpty()) {
                throw new IllegalArgumentException(
                        "ca-file: missing (expected: the authorities to believe, where mode is "
                                + Words.kebab(mode.name())
                                + ")");
            }
        }

        @Override
        public String toString() {
            return "client-authentication="
                    + Words.kebab(mode.name())
                    + caFile.map(it -> " ca-file=" + it).orElse("");
        }
    }

    /** Certificates that the gateway has issued by itself, without cert-manager. */
    public record Acme(
            @Key(
                            "The CA's directory: an https:// URL, or `letsencrypt`, `letsencrypt-staging`, `zerossl`,"
                                    + " `google` or `google-staging`. Ingresses call this issuer `default`. Without it,"
                                    + " and without `issuers`, nothing is issued, and no other key of `acme` is taken.")
                    Optional<String> directory,
            @Key("That you have read the CA's terms of service, and agree to them.")
                    boolean agreeTerms,
            @Key("Mail addresses at which the CA may reach you.") List<String> contacts,
            @Key(
                            "The authorities that may have issued the directory's own certificate, as PEM, instead of"
                                    + " the system's: for a CA of your own, which may have a private address then.")
                    Optional<Path> caFile,
            @Key("The certificate profile to ask for, of those in the directory.")
                    Optional<String> profile,
            @Key("The common name of the issuer at the top of the chain to be served.")
                    Optional<String> preferredChain,
            @Key(
                            value =
                                    "The kind of key: `ec-p256`, which is the default, `ec-p384`,"
                                            + " `rsa-2048`, `rsa-3072` or `rsa-4096`.",
                            oneOf = {"ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"})
                    Optional<String> key,
            @Key("The key id of the external account that the CA asks for, if it does.")
                    Optional<String> externalKeyId,
            @Key("The file with the external account's MAC key, in base64url as the CA prints it.")
                    Optional<Path> externalMacFile,
            @Key("`https://host[:port]` that the directory may point to besides its own.")
                    List<String> origins,
            @Key(
                            "Further issuers, which are asked in this order where those before do not issue: mappings"
                                    + " of `name` and of the keys above.")
                    List<AcmeIssuer> issuers,
            @Key(
                            "Which hosts: `all` that nobody else serves well, or `annotated` ones only, by"
                                    + " `sallyport.dev/acme` of their Ingress or Namespace, or by their class.")
                    AcmeHosts hosts,
            @Key(
                            "Which namespace may have certificates ordered for which names: `namespace=name`, with `*`"
                                    + " for every namespace or name, `*.host` one label below it, `**.host` all below.")
                    List<String> allow,
            @Key(
                            "The gateway's own IP addresses. One certificate is issued for all of them, and served to"
                                    + " clients that name no host, instead of `tls.default-certificate`.")
                    List<String> addresses,
            @Key(
                            "The name of the issuer that is asked for the certificate of `addresses`; by default all are,"
                                    + " in their order. Let's Encrypt issues such with the profile `shortlived` only.")
                    Optional<String> addressesIssuer,
            @Key(
                            value = "How names are proven, of what there is a port for.",
                            oneOf = {"http-01", "tls-alpn-01"})
                    List<String> challenges,
            @Key("The zone in which DNS-01 records are written by RFC 2136, for wildcards too.")
                    Optional<String> dnsZone,
            @Key("Its name servers, `host[:port]`, the primary first.") List<String> dnsServers,
            @Key("The name of the key that signs updates.") Optional<String> dnsKeyName,
            @Key(
                            value = "Its algorithm.",
                            oneOf = {"hmac-sha256", "hmac-sha384", "hmac-sha512"})
                    String dnsKeyAlgorithm,
            @Key("The file with the key, in base64 as `tsig-keygen` prints it.")
                    Optional<Path> dnsKeyFile,
            @Key(
                            "In a cluster, the Service in front of all replicas: all that are ready there are asked"
                                    + " for a challenge before the CA is; by default `kubernetes.publish-service`.")
                    Optional<NamespacedName> service,
            @Key(
                            "The folder that keeps accounts, orders and certificates where a folder is served; by"
                                    + " default `sallyport/acme` below `$XDG_STATE_HOME`, else below"
                                    + " `~/.local/state`.")
                    Optional<Path> state,
            @Key(value = "Orders that are worked on at a time.", min = 1, max = 1_000)
                    int ordersAtOnce) {
        static final Acme DEFAULT =
                new Acme(
                        Optional.empty(),
                        false,
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        AcmeHosts.ALL,
                        List.of("*=*"),
                        List.of(),
                        Optional.empty(),
                        List.of("http-01", "tls-alpn-01"),
                        Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        "hmac-sha256",
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        50);

        /** Which hosts are meant. */
        public enum AcmeHosts {
            ALL,
            ANNOTATED
        }

        public Acme {
            contacts = List.copyOf(contacts);
            origins = List.copyOf(origins);
            issuers = List.copyOf(issuers);
            allow = List.copyOf(allow);
            addresses = List.copyOf(addresses);
            challenges = List.copyOf(challenges);
            dnsServers = List.copyOf(dnsServers);
        }

        /** Whether certificates are issued at all. */
        public boolean enabled() {
            return directory.isPresent() || !issuers.isEmpty();
        }
    }

    /** A further issuer. */
    public record AcmeIssuer(
            @Key("What Ingresses call it.") String name,
            @Key("As of the first.") String directory,
            @Key("As of the first.") Optional<Boolean> agreeTerms,
            @Key("As of the first.") Optional<List<String>> contacts,
            @Key("As of the first.") Optional<Path> caFile,
            @Key("As of the first.") Optional<String> profile,
            @Key("As of the first.") Optional<String> preferredChain,
            @Key("As of the first.") Optional<String> key,
            @Key("As of the first.") Optional<String> externalKeyId,
            @Key("As of the first.") Optional<Path> externalMacFile,
            @Key("As of the first.") Optional<List<String>> origins) {
        @Override
        public String toString() {
            return name + " at " + directory;
        }
    }

    /** The redirect of plain requests to HTTPS. */
    public record Redirect(
            @Key("Redirect plain requests for hosts that have a `tls` section.") boolean enabled,
            @Key(value = "301, 302, 303, 307 or 308.", min = 301, max = 308) int status,
            @Key(
                            value =
                                    "The port clients reach HTTPS on; 443 is left out of the location.",
                            min = 1,
                            max = 65535)
                    int port) {
        static final Redirect DEFAULT = new Redirect(true, 308, 443);

        public Redirect {
            if (status > 303 && status < 307) {
                throw new IllegalArgumentException(
                        "status: " + status + " (expected: 301, 302, 303, 307 or 308)");
            }
        }
    }

    /** Strict-Transport-Security. */
    public record Hsts(
            @Key("How long browsers insist on HTTPS; 0 sends no such field.") Duration maxAge,
            @Key("For subdomains too.") boolean includeSubdomains,
            @Key("Ask browsers' makers to build it in.") boolean preload) {
        static final Hsts DEFAULT = new Hsts(Duration.ZERO, false, false);

        public Hsts {
            if (preload && (!includeSubdomains || maxAge.compareTo(Duration.ofDays(365)) < 0)) {
                throw new IllegalArgumentException(
                        "preload: true (expected: max-age of 365d or more and include-subdomains, as the preload lists"
                                + " ask for)");
            }
        }
    }

    /** How Ingress objects are read. */
    public record Ingress(
            @Key(
                            "The IngressClasses to serve; empty means those of this controller and the class"
                                    + " `sallyport`.")
                    List<String> classes,
            @Key(
                            "Other controllers whose IngressClasses to serve as well, such as"
                                    + " `k8s.io/ingress-nginx`, to take over from them.")
                    List<String> controllers,
            @Key(
                            "Serve every Ingress while there is no IngressClass at all: right where nobody else"
                                    + " could be meant.")
                    boolean servesAllWithoutClasses,
            @Key("`namespace/service:port`; answers what no rule matches.")
                    Optional<BackendReference> defaultBackend,
            @Key("Allow loopback addresses as endpoints.") boolean loopbackEndpoints,
            @Key("Serve Services of type ExternalName.") boolean externalNames) {
        static final Ingress DEFAULT =
                new Ingress(List.of(), List.of(), true, Optional.empty(), true, true);

        /** Others may write objects, and other controllers serve them. */
        static final Ingress IN_CLUSTER =
                new Ingress(List.of(), List.of(), false, Optional.empty(), false, false);

        public Ingress {
            classes = List.copyOf(classes);
            controllers = List.copyOf(controllers);
        }
    }

    /** How the folder is read. */
    public record Folder(
            @Key("Use the system's file notifications; without them only the poll sees changes.")
                    boolean notifications,
            @Key(value = "How often the whole folder is compared.", min = 1) Duration pollInterval,
            @Key("How long a file must have been still before it is read.") Duration settle,
            @Key("How long a file must be gone, or unreadable, before that counts.")
                    Duration vanishGrace,
            @Key(value = "Larger files are not read.", min = 1, max = 1 << 30) ByteSize maxFileSize,
            @Key(value = "Further files are not read.", min = 1, max = 10_000_000) int maxFiles,
            @Key(value = "Folders nested deeper are not entered.", min = 1, max = 1000)
                    int maxDepth) {
        static final Folder DEFAULT =
                new Folder(
                        true,
                        Duration.ofSeconds(2),
                        Duration.ofMillis(8),
                        Duration.ofMillis(100),
                        ByteSize.mebibytes(8),
                        100_000,
                        32);
    }

    /** How bursts of changes are put together; the first change never waits. */
    public record Reconcile(
            @Key("The pause between two rounds of a long burst.") Duration interval,
            @Key(value = "Rounds that may follow each other without a pause.", min = 1, max = 1000)
                    int burst,
            @Key("The longest that a change waits.") Duration cap) {
        static final Reconcile DEFAULT =
                new Reconcile(Duration.ofMillis(10), 10, Duration.ofSeconds(1));

        public Reconcile {
            if (cap.compareTo(interval) < 0) {
                throw new IllegalArgumentException(
                        "cap: "
                                + DurationText.format(cap)
                                + " (expected: at least the interval, which is "
                                + DurationText.format(interval)
                                + ")");
            }
        }
    }

    /** Bounds on what clients and backends may make the gateway hold. */
    public record Limits(
            @Key(value = "Client connections in all.", min = 1, max = 10_000_000) int connections,
            @Key(
                            value = "Client connections from one address (IPv6: one /64).",
                            min = 1,
                            max = 10_000_000)
                    int connectionsPerClient,
            @Key(
                            value =
                                    "Requests being served at once, over all connections; more are answered with"
                                            + " 503. 0 for no bound.",
                            max = 10_000_000)
                    int requestsInFlight,
            @Key(
                            value =
                                    "All header fields of a message: names, values and 32 bytes for each.",
                            min = 1024,
                            max = 1 << 20)
                    ByteSize headerBytes,
            @Key(
                            value = "Header fields of a message; each cookie crumb counts.",
                            min = 8,
                            max = 10_000)
                    int headerCount,
            @Key(value = "The request target.", min = 256, max = 1 << 20) ByteSize uriBytes,
            @Key("The request body; 0 for no bound.") ByteSize requestBodyBytes,
            @Key(value = "Requests on one connection, before it is closed in good order.", min = 1)
                    long requestsPerConnection,
            @Key(value = "HTTP/2 streams of a connection.", min = 1, max = 10_000)
                    int concurrentStreams,
            @Key(
                            value =
                                    "HTTP/2 window of a stream, and request data in flight on HTTP/1.1.",
                            min = 16_384,
                            max = Integer.MAX_VALUE)
                    ByteSize streamWindow,
            @Key(value = "HTTP/2 window of a connection.", min = 65_535, max = Integer.MAX_VALUE)
                    ByteSize connectionWindow,
            @Key(
                            value =
                                    "HTTP/2 streams that a client may reset, or make us reset, in 30 s.",
                            min = 1,
                            max = 1_000_000)
                    int resetsPerHalfMinute,
            @Key(
                            value = "HTTP/2 SETTINGS, PING and PRIORITY frames in 30 s.",
                            min = 1,
                            max = 1_000_000)
                    int controlFramesPerHalfMinute,
            @Key(
                            value =
                                    "Unsent bytes of a connection, above which nothing more is read for it.",
                            min = 4096,
                            max = 1 << 30)
                    ByteSize writeBuffer,
            @Key(value = "Connections to one endpoint.", min = 1, max = 1_000_000)
                    int upstreamConnections,
            @Key(
                            value = "Idle connections kept for one endpoint on one event loop.",
                            max = 1_000_000)
                    int upstreamIdle,
            @Key(
                            value =
                                    "Requests that wait for a connection to one upstream on one event loop.",
                            max = 1_000_000)
                    int upstreamPending) {
        static final Limits DEFAULT =
                new Limits(
                        50_000,
                        10_000,
                        50_000,
                        ByteSize.kibibytes(32),
                        100,
                        ByteSize.kibibytes(8),
                        new ByteSize(0),
                        100_000,
                        128,
                        ByteSize.kibibytes(64),
                        ByteSize.mebibytes(1),
                        200,
                        1_000,
                        ByteSize.kibibytes(64),
                        1024,
                        1024,
                        1024);
    }

    /** Deadlines; 0 means none unless the key says otherwise. */
    public record Timeouts(
            @Key(value = "From accept to the end of the TLS handshake.", min = 1, max = 3_600_000)
                    Duration handshake,
            @Key("From the first byte of a request head to its last.") Duration header,
            @Key("Between two pieces of a request body.") Duration bodyIdle,
            @Key("From a request's head to its response's end; WebSockets are exempt.")
                    Duration request,
            @Key("An idle client connection.") Duration keepAlive,
            @Key("A client that does not read what is sent to it.") Duration stalledWrite,
            @Key("A WebSocket without data in either direction.") Duration tunnelIdle,
            @Key("Connecting to an endpoint.") Duration upstreamConnect,
            @Key(
                            "From the end of a request to the head of its response, and between two pieces of its"
                                    + " body.")
                    Duration upstreamResponse,
            @Key("An idle connection to a backend.") Duration upstreamIdle,
            @Key(
                            "How long the process goes on accepting, not ready, once it was told to stop; 0 stops"
                                    + " accepting at once.")
                    Duration drainDelay,
            @Key("How long it then waits for exchanges to end; 0 does not wait.") Duration drain) {
        static final Timeouts DEFAULT =
                new Timeouts(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(75),
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(30),
                        Duration.ZERO,
                        Duration.ofSeconds(30));
    }

    /** What backends learn of clients, and how paths are passed on. */
    public record Forwarding(
            @Key(
                            "CIDR blocks whose X-Forwarded fields and request ids are believed; anybody else's are"
                                    + " dropped.")
                    List<Cidr> trustedProxies,
            @Key("Send the Forwarded field (RFC 7239) as well.") boolean forwarded,
            @Key("What becomes of `%2F` and `%5C` in paths; `reject` answers 400.")
                    EscapedSlashes escapedSlashes) {
        static final Forwarding DEFAULT = new Forwarding(List.of(), false, EscapedSlashes.KEEP);

        public Forwarding {
            trustedProxies = List.copyOf(trustedProxies);
        }
    }

    /** The access log. */
    public record AccessLog(
            @Key("How a line looks.") AccessLogSettings.Format format,
            @Key("Where lines go; a file is appended to.") LogTarget output,
            @Key(
                            value =
                                    "Lines that may wait for the writer; more are dropped and counted.",
                            min = 16,
                            max = 1 << 24)
                    int queue) {
        static final AccessLog DEFAULT =
                new AccessLog(AccessLogSettings.Format.JSON, LogTarget.STANDARD_OUTPUT, 16 * 1024);
    }

    /** The threads that serve traffic. */
    public record EventLoops(
            @Key("The system interface; `auto` is epoll where there is one, else nio.")
                    Transport transport,
            @Key(value = "How many event loops; 0 for one per processor.", max = 1024) int count) {
        static final EventLoops DEFAULT = new EventLoops(Transport.AUTO, 0);
    }

    /** The program's own log, to standard error. */
    public record Log(
            @Key("The least important messages that are logged.") Level level,
            @Key("`auto` is text on a terminal, else JSON.") Format format) {

        /** How important a message is. */
        public enum Level {
            ERROR,
            WARN,
            INFO,
            DEBUG,
            TRACE
        }

        /** How a line looks. */
        public enum Format {
            AUTO,
            TEXT,
            JSON
        }

        static final Log DEFAULT = new Log(Level.INFO, Format.AUTO);
    }
}
