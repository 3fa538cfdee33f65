package dev.sallyport.control.cluster;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The authorities that a service account trusts, read for each handshake: when a cluster's
 * authority is rotated the kubelet replaces the file, and connections made from then on go by the
 * new one. While the file cannot be read, or holds no certificate, the last are trusted. Safe from
 * any thread.
 */
final class AuthorityFile extends X509ExtendedTrustManager {
    private static final Logger log = LoggerFactory.getLogger(AuthorityFile.class);

    private final Path file;
    private volatile Trusted last;
    private volatile boolean unusable; // by now; said once

    /**
     * What was read, and what it came to.
     *
     * @param pem by which the next contents are told from these
     */
    private record Trusted(String pem, X509ExtendedTrustManager manager) {}

    /**
     * @param file PEM, one certificate or more
     * @throws IOException where the file cannot be read
     * @throws GeneralSecurityException where it holds no certificate
     */
    AuthorityFile(Path file) throws IOException, GeneralSecurityException {
        this.file = file;
        this.last = trusted(read(file));
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }

    private static Trusted trusted(String pem) throws IOException, GeneralSecurityException {
        Collection<? extends Certificate> authorities =
                CertificateFactory.getInstance("X.509")
                        .generateCertificates(
                                new ByteArrayInputStream(
                                        pem.getBytes(StandardCharsets.ISO_8859_1)));
        if (authorities.isEmpty()) {
            throw new CertificateException("no certificate");
        }
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        for (Certificate authority : authorities) {
            store.setCertificateEntry("authority-" + number++, authority);
        }
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        X509ExtendedTrustManager manager =
                Arrays.stream(factory.getTrustManagers())
                        .filter(X509ExtendedTrustManager.class::isInstance)
                        .map(X509ExtendedTrustManager.class::cast)
                        .findFirst()
                        .orElseThrow(); // the JDK's own is one
        return new Trusted(pem, manager);
    }

    private X509ExtendedTrustManager now() {
        Trusted known = last;
        try {
            String pem = read(file);
            if (!pem.equals(known.pem())) {
                known = trusted(pem);
                last = known;
                log.atInfo().addKeyValue("file", file).log("The cluster's authority was replaced");
            }
            unusable = false;
        } catch (IOException | GeneralSecurityException why) {
            if (!unusable) {
                unusable = true;
                log.atWarn()
                        .addKeyValue("file", file)
                        .addKeyValue("cause", why.toString())
                        .log("The cluster's authority cannot be read; the last one is trusted");
            }
        }
        return known.manager();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        now().checkServerTrusted(chain, authType, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        now().checkServerTrusted(chain, authType, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        now().checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        throw new CertificateException("no server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return last.manager().getAcceptedIssuers();
    }
}
