package dev.sallyport.control.acme;

import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.plan.Cause;
import dev.sallyport.acme.plan.CurrentCertificate;
import dev.sallyport.acme.plan.Failure;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.plan.RenewalPlan;
import dev.sallyport.acme.plan.Why;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.control.reconcile.ControlState;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.translate.AcmeAddresses;
import dev.sallyport.control.translate.AcmeHost;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ShardedMap;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is told of certificates that cannot be had: on the Ingress that asks, or the setting, beside
 * what translation finds. When an order is tried again is not told here, since each try would be
 * news; {@code sallyport acme orders} says it.
 *
 * <p>Confined to one thread.
 */
final class AcmeFindings {
    private static final String STEP = "acme";
    private static final String ORDERS =
            " It is tried again by itself; `sallyport acme orders` says when.";

    private final Optional<AcmeAddresses> own;
    private final Map<String, Finding> said = new HashMap<>();
    private Map<String, Asker> asking = Map.of();
    private @Nullable ShardedMap<Hostname, AcmeHost> hosts;

    /**
     * Who asks for a certificate.
     *
     * @param object on which it is told
     * @param names what is to be in it, for people
     */
    private record Asker(ObjectRef object, String names) {
        static Asker of(AcmeHost host) {
            return new Asker(host.ingress(), host.host().text());
        }

        static Asker of(AcmeAddresses own) {
            return new Asker(
                    ObjectRef.gateway(STEP + ".addresses"),
                    own.addresses().stream()
                            .map(Identifier.Ip::text)
                            .collect(Collectors.joining(", ")));
        }
    }

    /**
     * @param own addresses that there is to be a certificate for
     */
    AcmeFindings(Optional<AcmeAddresses> own) {
        this.own = own;
    }

    /**
     * What is to be said by now and was not, or not so.
     *
     * @param refused what is told of hosts for which nothing is ordered
     * @param control where the Ingresses are
     */
    Optional<SourceUpdate> news(
            KeeperState keeper, Map<CertificateId, Finding> refused, ControlState control) {
        read(control.acmeHosts());
        Map<String, Finding> now = new HashMap<>();
        keeper.trouble().ifPresent(what -> now.put(STEP, trouble(what)));
        refused.forEach((id, why) -> now.put(step(id), located(why, control)));
        for (Kept kept : keeper.certificates()) {
            String step = step(kept.id());
            Asker asker = asking.get(kept.id().text());
            if (asker != null && kept.order().isPresent()) {
                finding(kept, asker, said.get(step), control)
                        .ifPresent(finding -> now.put(step, finding));
            }
        }
        Map<String, List<Finding>> news = new HashMap<>();
        now.forEach((step, finding) -> {
            if (!finding.equals(said.get(step))) {
                news.put(step, List.of(finding));
            }
        });
        said.keySet().stream()
                .filter(step -> !now.containsKey(step))
                .forEach(step -> news.put(step, List.of()));
        said.clear();
        said.putAll(now);
        return news.isEmpty() ? Optional.empty() : Optional.of(new SourceUpdate(List.of(), news));
    }

    @SuppressWarnings("ReferenceEquality") // what did not change is the same object
    private void read(ShardedMap<Hostname, AcmeHost> now) {
        if (now != hosts) {
            Map<String, Asker> byId = new HashMap<>();
            now.forEach((name, host) -> byId.put(CertificateId.of(name).text(), Asker.of(host)));
            own.ifPresent(it -> byId.put(CertificateId.ADDRESSES.text(), Asker.of(it)));
            asking = byId;
            hosts = now;
        }
    }

    private static String step(CertificateId id) {
        return STEP + "/" + id;
    }

    private static Finding trouble(String what) {
        return Finding.of(
                Reason.ACME_NOT_WORKING,
                ObjectRef.gateway(STEP),
                "no certificate can be ordered, renewed or stored: " + what,
                "Mend it; what is served stays, and it is tried again every minute.");
    }

    private static Optional<Finding> finding(
            Kept kept, Asker asker, @Nullable Finding before, ControlState control) {
        return switch (kept.plan()) {
            case RenewalPlan.WaitUntil(_, Why.Limited limited, _) ->
                    Optional.of(
                            finding(
                                    Reason.ACME_RATE_LIMITED,
                                    asker,
                                    control,
                                    asker.names() + ": " + limited.text() + rest(kept),
                                    "Wait, or name another issuer beside it." + ORDERS));
            case RenewalPlan.WaitUntil(_, Why.Failed failed, _) ->
                    Optional.of(failed(kept, asker, failed, control));
            case RenewalPlan.WaitUntil(_, Why.Damaged damaged, _) ->
                    Optional.of(
                            finding(
                                    Reason.ACME_STATE_DAMAGED,
                                    asker,
                                    control,
                                    asker.names() + ": " + damaged.text(),
                                    "Restore it from a backup, or move it away: it is then made"
                                            + " anew."));
            // While it is tried again it is as it was.
            case RenewalPlan.Issue _, RenewalPlan.Renew _ -> Optional.ofNullable(before);
            case RenewalPlan.WaitUntil _, RenewalPlan.Keep _, RenewalPlan.Discard _ ->
                    Optional.empty();
        };
    }

    private static Finding failed(Kept kept, Asker asker, Why.Failed failed, ControlState control) {
        Failure last = failed.last();
        Cause cause = last.cause();
        return finding(
                reason(failed),
                asker,
                control,
                asker.names()
                        + ": "
                        + last.issuer()
                        + " issued no certificate: "
                        + cause.getClass().getSimpleName()
                        + ": "
                        + cause.detail()
                        + rest(kept),
                advice(cause) + ORDERS);
    }

    private static Finding finding(
            Reason reason, Asker asker, ControlState control, String message, String advice) {
        return located(Finding.of(reason, asker.object(), message, advice), control);
    }

    private static Finding located(Finding finding, ControlState control) {
        Resource object = control.resources().get(finding.object());
        return new Finding(
                finding.reason(),
                finding.object(),
                object == null ? Optional.empty() : object.origin().at("spec.rules"),
                finding.message(),
                finding.advice());
    }

    private static String rest(Kept kept) {
        return kept.current()
                .map(CurrentCertificate::notAfter)
                .map(end -> "; the one that there is expires at " + end)
                .orElse("");
    }

    private static Reason reason(Why.Failed failed) {
        return switch (failed.last().cause()) {
            case Cause.RateLimited _ -> Reason.ACME_RATE_LIMITED;
            case Cause.AccountRefused _ -> Reason.ACME_ACCOUNT_REFUSED;
            case Cause.NameRefused _, Cause.NoChallenge _ -> Reason.ACME_NAME_REFUSED;
            case Cause.Unreachable _,
                    Cause.CaTrouble _,
                    Cause.NotPresented _,
                    Cause.NotStored _,
                    Cause.OrderLost _,
                    Cause.AccountLost _,
                    Cause.ValidationFailed _,
                    Cause.OrderRefused _,
                    Cause.WrongCertificate _,
                    Cause.AddressRefused _ ->
                    failed.givenUp() ? Reason.ACME_GIVEN_UP : Reason.ACME_ORDER_FAILED;
        };
    }

    private static boolean names(Cause.AccountRefused refused, String problem) {
        return refused.visit().isEmpty() && refused.detail().contains(problem);
    }

    private static String advice(Cause cause) {
        return switch (cause) {
            case Cause.Unreachable untrusted when untrusted.detail().contains("PKIX") ->
                    "If the CA is your own, name the certificate of its authority in its ca-file;"
                            + " else see who answers in its place.";
            case Cause.Unreachable _ ->
                    "Look whether the CA can be reached from here, or name another issuer beside"
                            + " it.";
            case Cause.CaTrouble _ ->
                    "See that its directory is the URL of an ACME directory; if it is, wait, or name"
                            + " another issuer beside it.";
            case Cause.NotPresented _ ->
                    "See that a listener is bound, and that no proxy answers in front of it.";
            case Cause.ValidationFailed _ ->
                    "See that the name leads to this gateway, and that port 80 (or 443) is open to"
                            + " the CA.";
            case Cause.RateLimited limited ->
                    "Wait"
                            + limited.until().map(until -> " until " + until).orElse("")
                            + ", or name another issuer beside it.";
            case Cause.NotStored _ -> "See that what is kept can be written.";
            case Cause.OrderLost _, Cause.AccountLost _ ->
                    "Wait: it is ordered anew; if that does not help, name another issuer beside it.";
            case Cause.AccountRefused refused when names(refused, "externalAccountRequired") ->
                    "Get an external account from the CA, and name it in acme.external-key-id and"
                            + " acme.external-mac-file.";
            case Cause.AccountRefused refused when names(refused, "Contact:") ->
                    "Name a mail address in acme.contacts that the CA takes.";
            case Cause.AccountRefused refused ->
                    "Do what the CA asks of you"
                            + refused.visit().map(URI::toString).map(url -> " at " + url).orElse("")
                            + ".";
            case Cause.NameRefused _ ->
                    "Mend the name's CAA record, or name another issuer: this one never issues for"
                            + " it.";
            case Cause.NoChallenge _ ->
                    "Configure a challenge that the CA offers: http-01, tls-alpn-01, or dns-01 by"
                            + " acme.dns-zone.";
            case Cause.OrderRefused _ ->
                    "Look at the issuer's key and profile in the configuration.";
            case Cause.WrongCertificate _ ->
                    "Look at the issuer's preferred-chain and profile, and tell the CA.";
            case Cause.AddressRefused _ ->
                    "If the CA is your own, name its ca-file; else allow the origin that it names.";
        };
    }
}
