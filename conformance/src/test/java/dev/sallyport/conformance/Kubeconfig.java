package dev.sallyport.conformance;

import dev.sallyport.faults.ApiProxy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a kubeconfig says that {@link Cluster#kubeconfigOf} wrote. */
final class Kubeconfig {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final String text;
    private final String server;
    private final String token;
    private final SSLContext trust;

    private Kubeconfig(String text) throws GeneralSecurityException {
        JsonNode config = JSON.readTree(text);
        JsonNode cluster = config.path("clusters").path(0).path("cluster");
        byte[] authority =
                Base64.getDecoder()
                        .decode(cluster.path("certificate-authority-data").stringValue());
        this.text = text;
        this.server = cluster.path("server").stringValue();
        this.token = config.path("users").path(0).path("user").path("token").stringValue();
        this.trust =
                Pki.trusting(
                        (X509Certificate)
                                CertificateFactory.getInstance("X.509")
                                        .generateCertificate(new ByteArrayInputStream(authority)));
    }

    static Kubeconfig read(Path file) {
        try {
            return new Kubeconfig(Files.readString(file));
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError("no kubeconfig of the tests: " + file, e);
        }
    }

    /** The URL of the API server. */
    String server() {
        return server;
    }

    String token() {
        return token;
    }

    /** Trusts the API server and nobody else. */
    SSLContext trust() {
        return trust;
    }

    /** A proxy in front of the API server, which listens at an address of this machine. */
    ApiProxy proxy(InetAddress own) {
        URI url = URI.create(server);
        return ApiProxy.before(new InetSocketAddress(url.getHost(), url.getPort()), trust, own);
    }

    /** Writes the same with another URL of the API server. */
    Path through(ApiProxy proxy, Path file) {
        try {
            return Files.writeString(file, text.replace(server, proxy.url()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
