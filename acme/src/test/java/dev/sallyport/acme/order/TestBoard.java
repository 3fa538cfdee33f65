package dev.sallyport.acme.order;

import dev.sallyport.acme.challenge.AlpnCertificate;
import dev.sallyport.acme.challenge.ChallengeBoard;
import dev.sallyport.acme.challenge.ChallengeType;
import dev.sallyport.acme.challenge.NotPresentedException;
import dev.sallyport.acme.challenge.Proof;
import dev.sallyport.acme.plan.Identifier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** Shows proofs to a Pebble by small servers of the JDK, and counts what was shown. */
final class TestBoard implements ChallengeBoard, AutoCloseable {
    final AtomicInteger presented = new AtomicInteger();
    final AtomicInteger withdrawn = new AtomicInteger();
    volatile boolean mute;

    private final PebbleServer pebble;
    private final Set<ChallengeType> types = EnumSet.allOf(ChallengeType.class);
    private final Map<String, AlpnCertificate> certificates = new ConcurrentHashMap<>();
    private final HttpResponder http;
    private final SSLServerSocket tls;

    TestBoard(PebbleServer pebble) throws Exception {
        this.pebble = pebble;
        http = new HttpResponder(pebble.httpPort());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new ByServerName()}, null, null);
        tls =
                (SSLServerSocket)
                        context.getServerSocketFactory()
                                .createServerSocket(
                                        pebble.tlsPort(), 50, InetAddress.getLoopbackAddress());
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {AlpnCertificate.PROTOCOL});
        tls.setSSLParameters(parameters);
        Thread.ofVirtual().start(this::acceptAll);
    }

    /** Answers with what proves nothing. */
    void lie(boolean lies) {
        http.lies = lies;
    }

    /** Takes only these. */
    TestBoard only(ChallengeType... some) {
        types.retainAll(Set.of(some));
        return this;
    }

    @Override
    public boolean takes(ChallengeType type, Identifier identifier) {
        boolean wildcard = identifier instanceof Identifier.Dns dns && dns.isWildcard();
        return types.contains(type) && (!wildcard || type == ChallengeType.DNS_01);
    }

    @Override
    public void present(Proof proof, Duration patience) throws NotPresentedException {
        if (mute) {
            throw new NotPresentedException("1 of 3 replicas does not answer");
        }
        presented.incrementAndGet();
        switch (proof) {
            case Proof.Http it -> http.present(it, patience);
            case Proof.TlsAlpn it ->
                    certificates.put(it.certificate().serverName(), it.certificate());
            case Proof.Dns it -> pebble.setTxt(it.name(), it.value());
        }
    }

    @Override
    public void withdraw(Proof proof) {
        withdrawn.incrementAndGet();
        switch (proof) {
            case Proof.Http it -> http.withdraw(it);
            case Proof.TlsAlpn it -> certificates.remove(it.certificate().serverName());
            case Proof.Dns it -> pebble.clearTxt(it.name());
        }
    }

    @Override
    public void close() throws IOException {
        http.close();
        tls.close();
    }

    private void acceptAll() {
        while (!tls.isClosed()) {
            try {
                var socket = (SSLSocket) tls.accept();
                Thread.ofVirtual()
                        .start(() -> {
                            try (socket) {
                                socket.startHandshake();
                            } catch (IOException refused) {
                                // Nobody's proof, or Pebble has seen enough.
                            }
                        });
            } catch (IOException closed) {
                return;
            }
        }
    }

    /** Chooses the certificate by the name that is asked for, which is its alias. */
    private final class ByServerName extends X509ExtendedKeyManager {
        @Override
        public @Nullable String chooseServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            if (!keyType.equals("EC") || !(socket instanceof SSLSocket ssl)) {
                return null;
            }
            return ((ExtendedSSLSession) ssl.getHandshakeSession())
                    .getRequestedServerNames().stream()
                            .filter(SNIHostName.class::isInstance)
                            .map(name -> ((SNIHostName) name).getAsciiName())
                            .filter(certificates::containsKey)
                            .findFirst()
                            .orElse(null);
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            @Nullable AlpnCertificate certificate = certificates.get(alias);
            try {
                return certificate == null
                        ? null
                        : new X509Certificate[] {
                            (X509Certificate)
                                    CertificateFactory.getInstance("X.509")
                                            .generateCertificate(
                                                    new ByteArrayInputStream(
                                                            certificate
                                                                    .bundle()
                                                                    .chain()
                                                                    .getFirst()))
                        };
            } catch (GeneralSecurityException impossible) {
                throw new IllegalStateException(impossible);
            }
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            @Nullable AlpnCertificate certificate = certificates.get(alias);
            return certificate == null
                    ? null
                    : certificate
                            .bundle()
                            .privateKey()
                            .use(pkcs8 -> {
                                try {
                                    return KeyFactory.getInstance("EC")
                                            .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
                                } catch (GeneralSecurityException impossible) {
                                    throw new IllegalStateException(impossible);
                                }
                            });
        }

        @Override
        public String @Nullable [] getClientAliases(
                String keyType, Principal @Nullable [] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public String @Nullable [] getServerAliases(
                String keyType, Principal @Nullable [] issuers) {
            return null;
        }
    }
}
