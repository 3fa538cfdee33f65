package dev.sallyport.app.config;

import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.DynamicZone;
import dev.sallyport.acme.issuer.AllowList;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.acme.issuer.Issuers;
import dev.sallyport.acme.plan.CertificateOrder;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.control.acme.AcmeSettings;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.model.certificate.SensitiveBytes;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.PlainText;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.upstream.AddressGuard;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** From what is configured of ACME to its settings, with what is in the files that it names. */
final class AcmePlan {
    private static final String SECTION = "acme";
    private static final String FIRST = "default";
    private static final int MOST_BYTES = 1024 * 1024;

    /** What the issuer of {@code acme.directory} is, and no other. */
    private static final Set<String> OF_DIRECTORY =
            Set.of(
                    "agree-terms",
                    "contacts",
                    "ca-file",
                    "profile",
                    "preferred-chain",
                    "key",
                    "external-key-id",
                    "external-mac-file",
                    "origins");

    private static final ObjectRef ORIGIN = ObjectRef.gateway(SECTION);

    private final GatewayConfig.Acme wanted;
    private final GatewayConfig.Tls tls;
    private final boolean folder; // a cluster has Secrets
    private final Map<String, String> environment;
    private final List<Setting> settings;
    private final List<Problem> problems;

    private AcmePlan(
            GatewayConfig.Acme wanted,
            GatewayConfig.Tls tls,
            boolean folder,
            Map<String, String> environment,
            List<Setting> settings,
            List<Problem> problems) {
        this.wanted = wanted;
        this.tls = tls;
        this.folder = folder;
        this.environment = environment;
        this.settings = settings;
        this.problems = problems;
    }

    /** The settings; empty where nothing is to be issued, or where a problem was added. */
    static Optional<AcmeSettings> of(
            GatewayConfig config,
            Map<String, String> environment,
            List<Setting> settings,
            List<Problem> problems) {
        var plan =
                new AcmePlan(
                        config.acme(),
                        config.tls(),
                        config.resources().isPresent(),
                        environment,
                        settings,
                        problems);
        plan.refuseIdle();
        return config.acme().enabled() ? plan.plan() : Optional.empty();
    }

    /** Who sets something believes that it does something. */
    private void refuseIdle() {
        for (Setting setting : settings) {
            if (!setting.key().startsWith(SECTION + ".") || isUnset(setting)) {
                continue;
            }
            String key = setting.key().substring(SECTION.length() + 1);
            missing(key, setting.source())
                    .ifPresent(it -> problem(key, setting.value() + " (expected: " + it + ")"));
        }
    }

    /** What a key that is set needs to have an effect, if that is not there. */
    private Optional<String> missing(String key, Source source) {
        if (wanted.directory().isEmpty() && OF_DIRECTORY.contains(key)) {
            return Optional.of("a CA beside it: --acme-directory, or acme.directory");
        }
        if (!wanted.enabled()) {
            return Optional.of("a CA beside it: --acme-directory, acme.directory or acme.issuers");
        }
        // As what a file says of a cluster, its folder may stay there while the other is served.
        return key.equals("state") && !folder && source instanceof Source.Flag
                ? Optional.of(
                        "nothing where a cluster is served, whose Secrets keep the state; a folder"
                                + " is served by --resources DIR")
                : Optional.empty();
    }

    private static boolean isUnset(Setting setting) {
        return setting.source() instanceof Source.Default
                || setting.value().isEmpty()
                || setting.value().equals("false");
    }

    private Optional<AcmeSettings> plan() {
        int before = problems.size();
        List<IssuerDraft> drafts = new ArrayList<>();
        wanted.directory().ifPresent(directory -> drafts.add(first(directory)));
        wanted.issuers().forEach(issuer -> drafts.add(further(issuer)));
        if (wanted.directory().isPresent() && !wanted.agreeTerms()) {
            problem(
                    "agree-terms",
                    "missing (expected: --acme-agree-terms, or true, once you have read the terms of"
                            + " service that the directory names)");
        }
        Optional<Issuers> issuers =
                problems.size() > before
                        ? Optional.empty()
                        : usable("issuers", Issuers.parse(ORIGIN, drafts));
        Optional<AllowList> allowed = usable("allow", AllowList.parse(ORIGIN, wanted.allow()));
        Optional<DynamicZone> zone = zone();
        Set<ChallengeType> challenges = EnumSet.noneOf(ChallengeType.class);
        for (ChallengeType type : ChallengeType.values()) {
            if (wanted.challenges().contains(type.text())) {
                challenges.add(type);
            }
        }
        if (challenges.isEmpty() && wanted.dnsZone().isEmpty()) {
            problem("challenges", "empty (expected: at least one, or a dns-zone)");
        }
        Optional<AcmeAddresses> addresses = addresses(issuers);
        Optional<Path> state = folder ? Optional.ofNullable(state()) : Optional.empty();
        if (problems.size() > before) {
            return Optional.empty();
        }
        return Optional.of(
                new AcmeSettings(
                        issuers.orElseThrow(),
                        wanted.hosts() == GatewayConfig.Acme.AcmeHosts.ALL,
                        allowed.orElseThrow(),
                        challenges,
                        zone,
                        addresses,
                        state,
                        wanted.ordersAtOnce()));
    }

    private IssuerDraft first(String directory) {
        return draft(
                "",
                new GatewayConfig.AcmeIssuer(
                        FIRST,
                        directory,
                        Optional.of(true), // said by its own problem
                        Optional.of(wanted.contacts()),
                        wanted.caFile(),
                        wanted.profile(),
                        wanted.preferredChain(),
                        wanted.key(),
                        wanted.externalKeyId(),
                        wanted.externalMacFile(),
                        Optional.of(wanted.origins())));
    }

    private IssuerDraft further(GatewayConfig.AcmeIssuer issuer) {
        return draft("issuers.", issuer);
    }

    private IssuerDraft draft(String prefix, GatewayConfig.AcmeIssuer issuer) {
        Optional<byte[]> authority =
                issuer.caFile().flatMap(file -> read(prefix + "ca-file", file));
        Optional<SensitiveBytes> secret =
                issuer.externalMacFile()
                        .flatMap(file -> read(prefix + "external-mac-file", file))
                        .map(AcmePlan::secret);
        return new IssuerDraft(
                issuer.name(),
                issuer.directory(),
                issuer.contacts().orElse(List.of()),
                issuer.agreeTerms().orElse(false),
                issuer.externalKeyId(),
                secret,
                issuer.profile(),
                issuer.preferredChain(),
                issuer.key(),
                authority,
                issuer.caFile().isPresent(), // whose CA is one's own may have it anywhere
                issuer.origins().orElse(List.of()));
    }

    private Optional<DynamicZone> zone() {
        if (wanted.dnsZone().isEmpty()) {
            return Optional.empty();
        }
        if (wanted.dnsServers().isEmpty()
                || wanted.dnsKeyName().isEmpty()
                || wanted.dnsKeyFile().isEmpty()) {
            problem("dns-zone", "needs dns-servers, dns-key-name and dns-key-file beside it");
            return Optional.empty();
        }
        Optional<SensitiveBytes> key =
                read("dns-key-file", wanted.dnsKeyFile().get()).map(AcmePlan::secret);
        if (key.isEmpty()) {
            return Optional.empty();
        }
        return usable(
                "dns-zone",
                DynamicZone.parse(
                        ORIGIN,
                        wanted.dnsZone().get(),
                        String.join(",", wanted.dnsServers()),
                        wanted.dnsKeyName().get(),
                        wanted.dnsKeyAlgorithm(),
                        key.get()));
    }

    private Optional<AcmeAddresses> addresses(Optional<Issuers> issuers) {
        List<Identifier.Ip> addresses = new ArrayList<>();
        for (String written : wanted.addresses()) {
            InetAddress address = AddressGuard.literal(written.strip());
            if (address == null) {
                problem("addresses", PlainText.of(written) + " (expected: IP addresses)");
            } else {
                addresses.add(new Identifier.Ip(address));
            }
        }
        if (addresses.size() > CertificateOrder.MOST_IDENTIFIERS) {
            problem(
                    "addresses",
                    addresses.size()
                            + " (expected: up to "
                            + CertificateOrder.MOST_IDENTIFIERS
                            + ")");
        }
        if (addresses.isEmpty() || issuers.isEmpty()) {
            return Optional.empty();
        }
        if (tls.defaultCertificate().isPresent() || tls.strictSni()) {
            problem(
                    "addresses",
                    "needs the place of the default certificate (expected: neither"
                            + " tls.default-certificate nor tls.strict-sni beside it)");
        }
        List<String> known = issuers.get().names();
        Optional<String> only = wanted.addressesIssuer();
        if (only.isPresent() && !known.contains(only.get())) {
            problem(
                    "addresses-issuer",
                    PlainText.of(only.get())
                            + " (expected: one of "
                            + String.join(", ", known)
                            + ")");
        }
        return Optional.of(new AcmeAddresses(addresses, only.map(List::of).orElse(known)));
    }

    private @Nullable Path state() {
        if (wanted.state().isPresent()) {
            return wanted.state().get();
        }
        String base = environment.getOrDefault("XDG_STATE_HOME", "");
        if (base.startsWith("/")) {
            return Path.of(base, "sallyport", SECTION);
        }
        String home = environment.getOrDefault("HOME", "");
        if (home.isEmpty()) {
            problem("state", "missing (expected: a folder, as there is no HOME to put one below)");
            return null;
        }
        return Path.of(home, ".local", "state", "sallyport", SECTION);
    }

    private Optional<byte[]> read(String key, Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length <= MOST_BYTES) {
                return Optional.of(bytes);
            }
            problem(key, file + ": larger than 1 MiB (expected: a file as a CA gives it out)");
        } catch (IOException unreadable) {
            problem(key, file + ": cannot be read (expected: a file that this process may read)");
        }
        return Optional.empty();
    }

    private static SensitiveBytes secret(byte[] text) {
        var secret = SensitiveBytes.copyOf(text);
        Arrays.fill(text, (byte) 0);
        return secret;
    }

    private <T> Optional<T> usable(String key, Parsed<T> parsed) {
        return switch (parsed) {
            case Parsed.Usable<T> usable -> Optional.of(usable.value());
            case Parsed.Rejected<T> rejected -> {
                for (Finding finding : rejected.findings()) {
                    problem(key, finding.message() + ". " + finding.advice());
                }
                yield Optional.empty();
            }
        };
    }

    private void problem(String key, String text) {
        String whole = SECTION + "." + key;
        problems.add(new Problem(Setting.source(settings, whole), whole, text));
    }
}
