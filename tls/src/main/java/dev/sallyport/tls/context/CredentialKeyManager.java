package dev.sallyport.tls.context;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.internal.tcnative.SSL;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Presents certificates from inside BoringSSL's certificate callback, through public methods only.
 *
 * <p>Netty's own certificate callback asks the context's key manager for an alias and hands it the
 * engine. We take the SSL pointer from the engine, add native credentials to it, and answer with an
 * alias that has no chain: Netty then adds no key material of its own, and BoringSSL picks among
 * our credentials. What this relies on is checked by {@link SelfTest} at start.
 *
 * <p>It fails closed: an engine that nothing was decided for, or whose ClientHello BoringSSL reads
 * differently from the stage before, gets no credential and its handshake fails.
 *
 * <p>Expectations are set and dropped on the connection's event loop; the callback runs there too.
 */
final class CredentialKeyManager extends X509ExtendedKeyManager {
    /** An alias for which {@link #getCertificateChain} has nothing. */
    private static final String NATIVE = "native";

    private final CredentialStore store;

    /** By engine, whose equality is identity; an entry lives as long as its handshake. */
    private final Map<SSLEngine, Presentation> expected = new ConcurrentHashMap<>();

    CredentialKeyManager(CredentialStore store) {
        this.store = store;
    }

    void expect(SSLEngine engine, Presentation presentation) {
        expected.put(engine, presentation);
    }

    void forget(SSLEngine engine) {
        expected.remove(engine);
    }

    int pending() {
        return expected.size();
    }

    @Override
    public String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        Presentation presentation = expected.get(engine);
        if (presentation == null) {
            throw new NoCredential("nothing was decided for this handshake", null);
        }
        long ssl = ((ReferenceCountedOpenSslEngine) engine).sslPointer();
        if (!Objects.equals(SSL.getSniHostname(ssl), presentation.serverName())) {
            throw new NoCredential("the server name was read in two ways", null);
        }
        try {
            store.addTo(ssl, presentation.certificates());
        } catch (CredentialRefused refused) {
            throw new NoCredential("no certificate could be loaded", refused);
        }
        return NATIVE; // an alias ends Netty's loop over key types: this runs once per handshake
    }

    /**
     * Fails the handshake (alert internal_error). Without a stack trace: strangers can cause it.
     */
    static final class NoCredential extends RuntimeException {
        private static final long serialVersionUID = 1;

        NoCredential(String message, @Nullable Throwable cause) {
            super(message, cause, false, false);
        }
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        return null;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        return null;
    }

    @Override
    public String chooseServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        throw new UnsupportedOperationException("sockets are not used");
    }

    @Override
    public String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        throw new UnsupportedOperationException("this side is the server");
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }
}
