package dev.sallyport.control;

import dev.sallyport.control.translate.Translation;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.upstream.UpstreamKey;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Writes a translation down in full and in a stable order, for people and for comparison. */
public final class TranslationPrinter {
    private final StringBuilder out = new StringBuilder();

    private TranslationPrinter() {}

    /** The translation as text. */
    public static String print(Translation translation) {
        return new TranslationPrinter().all(translation);
    }

    private String all(Translation translation) {
        TreeMap<String, VirtualHost> hosts = new TreeMap<>();
        translation.routes().hosts().forEach((name, host) -> hosts.put(name.text(), host));
        line("hosts:");
        hosts.forEach(this::host);
        host("(any)", translation.routes().anyHost());
        translation
                .routes()
                .fallback()
                .ifPresent(route -> line("default backend: " + action(route.action())));
        challenges(translation);
        line("certificates:");
        TreeMap<String, CertificateSet> sets = new TreeMap<>();
        translation
                .certificates()
                .hosts()
                .forEach((Hostname name, CertificateSet set) -> sets.put(name.text(), set));
        sets.forEach((name, set) -> line("  " + name + ": " + certificates(set)));
        line(
                "  (default): "
                        + translation
                                .certificates()
                                .fallback()
                                .map(TranslationPrinter::certificates)
                                .orElse("none"));
        acme(translation);
        line("upstreams:");
        TreeMap<UpstreamKey, String> upstreams = new TreeMap<>(UpstreamKey.ORDER);
        translation
                .upstreams()
                .forEach((key, upstream) -> upstreams.put(key, upstream.endpoints().toString()));
        upstreams.forEach((key, endpoints) -> line("  " + key + ": " + endpoints));
        line("findings:");
        translation.findings().sorted().forEach(this::finding);
        return out.toString();
    }

    private void host(String name, VirtualHost host) {
        if (host.routes().isEmpty()
                && host.fallback().isEmpty()
                && host.httpsRedirect().isEmpty()
                && name.equals("(any)")) {
            return;
        }
        line("  " + name + ":");
        host.httpsRedirect()
                .ifPresent(to -> line("    redirect: " + to.status() + " to port " + to.port()));
        host.routes()
                .forEach(route ->
                        line(
                                "    "
                                        + path(route.path())
                                        + " -> "
                                        + action(route.action())
                                        + "  # "
                                        + route.origin()));
        host.fallback()
                .ifPresent(route ->
                        line("    else -> " + action(route.action()) + "  # " + route.origin()));
    }

    private void challenges(Translation translation) {
        TreeMap<String, String> rows = new TreeMap<>();
        translation
                .routes()
                .challenges()
                .forEach((challenge, route) ->
                        rows.put(
                                (challenge.host().isEmpty() ? "(any)" : challenge.host())
                                        + " "
                                        + challenge.token(),
                                action(route.action()) + "  # " + route.origin()));
        if (!rows.isEmpty()) {
            line("challenges:");
            rows.forEach((challenge, answer) -> line("  " + challenge + " -> " + answer));
        }
    }

    private void acme(Translation translation) {
        TreeMap<String, String> rows = new TreeMap<>();
        translation
                .acmeHosts()
                .forEach((host, wanted) ->
                        rows.put(
                                host.text(),
                                wanted.issuers()
                                        + " for "
                                        + wanted.ingress()
                                        + ", others "
                                        + wanted.others().stream()
                                                .map(it -> it.bundle().serial())
                                                .toList()
                                        + wanted.refusal()
                                                .map(it -> ", refused: " + it.reason())
                                                .orElse("")));
        if (!rows.isEmpty()) {
            line("to be issued:");
            rows.forEach((host, row) -> line("  " + host + ": " + row));
        }
    }

    private void finding(Finding finding) {
        line(
                "  - "
                        + finding.severity()
                        + " "
                        + finding.reason()
                        + ", "
                        + finding.object()
                        + finding.location().map(place -> ", " + place).orElse(""));
        line("    " + finding.message());
        line("    " + finding.advice());
    }

    private void line(String text) {
        out.append(text).append('\n');
    }

    private static String path(PathMatch path) {
        return switch (path) {
            case PathMatch.Exact(String text) -> "Exact " + text;
            case PathMatch.Prefix(String text) -> "Prefix " + text;
        };
    }

    private static String action(RouteAction action) {
        return switch (action) {
            case RouteAction.Forward(List<WeightedBackend> backends) when backends.isEmpty() ->
                    "503";
            case RouteAction.KeyAuthorization(String text) -> "answers " + text;
            case RouteAction.Forward forward ->
                    forward.backends().stream()
                            .map(backend -> backend.upstream().toString())
                            .collect(Collectors.joining(" | "));
        };
    }

    private static String certificates(CertificateSet set) {
        return set.certificates().stream()
                .map(TranslationPrinter::certificate)
                .collect(Collectors.joining(" | "));
    }

    private static String certificate(ServedCertificate served) {
        return served.bundle().keyType().name().toLowerCase(Locale.ROOT)
                + " "
                + served.bundle().serial()
                + " from "
                + served.source();
    }
}
