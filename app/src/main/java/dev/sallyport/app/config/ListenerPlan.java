package dev.sallyport.app.config;

import dev.sallyport.app.config.GatewayConfig.ClientCertificates;
import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ClientAuthentication.TrustAnchors;
import dev.sallyport.model.listener.Listener;
import dev.sallyport.model.listener.ListenerProtocol;
import dev.sallyport.model.listener.TlsPolicy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From configured ports to listeners, with the authorities that their files hold. */
final class ListenerPlan {
    private static final long LARGEST_BUNDLE = 4 << 20;

    private final GatewayConfig config;
    private final List<Setting> settings;
    private final List<Problem> problems;
    private final Map<Path, ClientAuthentication> unreadable = new HashMap<>();

    private ListenerPlan(GatewayConfig config, List<Setting> settings, List<Problem> problems) {
        this.config = config;
        this.settings = settings;
        this.problems = problems;
    }

    /** The listeners; only to be used where no problem was added. */
    static List<Listener> of(GatewayConfig config, List<Setting> settings, List<Problem> problems) {
        return new ListenerPlan(config, settings, problems).listeners();
    }

    private List<Listener> listeners() {
        List<Listener> listeners = new ArrayList<>();
        List<BindAddress> plain = config.listeners().http();
        for (int i = 0; i < plain.size(); i++) {
            listeners.add(listener(name("http", i), plain.get(i), new ListenerProtocol.Http()));
        }
        List<GatewayConfig.HttpsListener> secure = config.listeners().https();
        for (int i = 0; i < secure.size(); i++) {
            GatewayConfig.HttpsListener entry = secure.get(i);
            listeners.add(
                    listener(
                            name("https", i),
                            entry.address(),
                            new ListenerProtocol.Https(policy(entry))));
        }
        return listeners;
    }

    private TlsPolicy policy(GatewayConfig.HttpsListener entry) {
        GatewayConfig.Tls tls = config.tls();
        return new TlsPolicy(
                entry.profile().orElse(tls.profile()),
                tls.groups(),
                tls.applicationProtocols(),
                entry.clientAuthentication()
                        .map(own -> authentication(own, "listeners.https"))
                        .orElseGet(() ->
                                authentication(
                                        tls.clientAuthentication(),
                                        "tls.client-authentication.ca-file")));
    }

    private ClientAuthentication authentication(ClientCertificates written, String key) {
        return switch (written.mode()) {
            case NONE -> new ClientAuthentication.None();
            case OPTIONAL, REQUIRED -> {
                Path file = written.caFile().orElseThrow();
                ClientAuthentication failed = unreadable.get(file);
                if (failed != null) {
                    yield failed;
                }
                try {
                    TrustAnchors anchors = anchors(file);
                    yield written.mode() == ClientCertificates.Mode.OPTIONAL
                            ? new ClientAuthentication.Optional(anchors)
                            : new ClientAuthentication.Required(anchors);
                } catch (IOException | CertificateException unusable) {
                    problems.add(
                            new Problem(
                                    Setting.source(settings, key),
                                    key,
                                    file + ": " + reason(unusable)));
                    // Stands in for what is never used, so that a file is complained of once.
                    failed = new ClientAuthentication.None();
                    unreadable.put(file, failed);
                    yield failed;
                }
            }
        };
    }

    private static TrustAnchors anchors(Path file) throws IOException, CertificateException {
        if (Files.size(file) > LARGEST_BUNDLE) {
            throw new CertificateException("larger than 4MiB (expected: certificates as PEM)");
        }
        List<byte[]> encoded = new ArrayList<>();
        for (Certificate certificate :
                CertificateFactory.getInstance("X.509")
                        .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)))) {
            encoded.add(certificate.getEncoded());
        }
        if (encoded.isEmpty()) {
            throw new CertificateException("no certificate (expected: at least one, as PEM)");
        }
        return TrustAnchors.of(encoded);
    }

    private static String reason(Exception unusable) {
        return switch (unusable) {
            case NoSuchFileException _ -> "no such file";
            case CertificateException malformed -> String.valueOf(malformed.getMessage());
            default -> "cannot be read: " + unusable;
        };
    }

    private static String name(String protocol, int index) {
        return index == 0 ? protocol : protocol + "-" + (index + 1);
    }

    private static Listener listener(String name, BindAddress address, ListenerProtocol protocol) {
        return new Listener(name, address.host(), address.port(), protocol);
    }
}
