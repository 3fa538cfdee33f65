package dev.sallyport.tls.context;

import dev.sallyport.model.listener.ClientAuthentication;
import dev.sallyport.model.listener.ClientAuthentication.TrustAnchors;
import dev.sallyport.model.listener.TlsPolicy;
import dev.sallyport.model.listener.TlsProfile;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * The one native context (SSL_CTX) of a policy. It holds no certificate: {@link
 * CredentialKeyManager} adds them to each connection.
 *
 * <p>Resuming a session skips what the policy asks for, so sessions must stay inside the policy. Up
 * to Netty 4.2.19 every context has the same session id context, and a session of a policy without
 * client certificates resumes under one that requires them as soon as the two share ticket keys.
 * Three fences, each of which would do alone: a session id context and ticket keys derived from all
 * of the policy that decides access, and a look at the client's certificate after every handshake.
 *
 * <p>Safe from any thread, but for the handlers it makes.
 */
public final class PolicyContext implements AutoCloseable {
    /**
     * Mozilla's intermediate profile without finite-field Diffie-Hellman, which BoringSSL lacks.
     */
    private static final List<String> TLS_1_2_SUITES =
            List.of(
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    /** All of BoringSSL's: it takes no choice of them. */
    private static final List<String> TLS_1_3_SUITES =
            List.of(
                    "TLS_AES_128_GCM_SHA256",
                    "TLS_AES_256_GCM_SHA384",
                    "TLS_CHACHA20_POLY1305_SHA256");

    private final TlsPolicy policy;
    private final TicketKeys ticketKeys;
    private final byte[] digest;
    private final CredentialKeyManager keyManager;
    private final SslContext context;
    private final OpenSslServerSessionContext sessions;
    private long ticketPeriod = Long.MIN_VALUE; // guarded by this
    private boolean closed; // guarded by this

    /**
     * @throws IllegalArgumentException where the policy's trust anchors cannot be read, or the
     *     native library refuses it (an unknown group)
     */
    public PolicyContext(
            TlsPolicy policy, CredentialStore store, TicketKeys ticketKeys, Instant now) {
        this.policy = policy;
        this.ticketKeys = ticketKeys;
        digest = digest(policy);
        keyManager = new CredentialKeyManager(store);
        try {
            context = builder().build();
        } catch (SSLException | RuntimeException refused) {
            throw new IllegalArgumentException(
                    "TLS policy: refused by the TLS library: " + refused.getMessage(), refused);
        }
        sessions = (OpenSslServerSessionContext) context.sessionContext();
        sessions.setSessionCacheEnabled(false); // tickets only: no memory per session on this side
        sessions.setSessionTimeout((int) ticketKeys.longestLife());
        if (!sessions.setSessionIdContext(digest)) {
            close();
            throw new IllegalStateException("session id context: refused");
        }
        rotateTicketKeys(now);
    }

    /** The policy. */
    public TlsPolicy policy() {
        return policy;
    }

    /**
     * The TLS handler for one connection, which will present what was decided for it. {@link #end}
     * must be called once its handshake is over, however it ended.
     */
    public SslHandler newHandler(ByteBufAllocator allocator, Presentation presentation) {
        SslHandler handler = context.newHandler(allocator);
        keyManager.expect(handler.engine(), presentation);
        return handler;
    }

    /** The handshake of {@code engine} is over, or will never be. */
    public void end(SSLEngine engine) {
        keyManager.forget(engine);
    }

    /** How many handshakes are under way. */
    public int pending() {
        return keyManager.pending();
    }

    /** Whether a handshake failed since there was no credential for it: a fault on this side. */
    public static boolean isWithoutCredential(Throwable cause) {
        return cause instanceof CredentialKeyManager.NoCredential;
    }

    /**
     * Makes sure that the client is who the policy asks for: to be called when a handshake, full or
     * resumed, is complete and before any byte of it is used. A resumed session tells of a
     * certificate that was good when the session began: its dates are looked at again.
     *
     * @throws SSLPeerUnverifiedException where not; the connection must be closed
     */
    public void verify(SSLEngine engine, Instant now) throws SSLPeerUnverifiedException {
        switch (policy.clientAuthentication()) {
            case ClientAuthentication.None _ -> {}
            case ClientAuthentication.Required _ ->
                    requireValid(engine.getSession().getPeerCertificates(), now);
            case ClientAuthentication.Optional _ -> {
                Certificate[] chain;
                try {
                    chain = engine.getSession().getPeerCertificates();
                } catch (SSLPeerUnverifiedException noneGiven) {
                    return;
                }
                requireValid(chain, now);
            }
        }
    }

    /**
     * Puts the keys of {@code now}'s period in service, if they are not. Connections under way keep
     * what they have.
     */
    public synchronized void rotateTicketKeys(Instant now) {
        long period = ticketKeys.advance(now);
        if (period != ticketPeriod && !closed) {
            sessions.setTicketKeys(ticketKeys.of(digest));
            ticketPeriod = period;
        }
    }

    /** Connections under way keep the native context until they end. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true; // keys set on a freed context would crash the process
            ReferenceCountUtil.release(context);
        }
    }

    private SslContextBuilder builder() {
        SslContextBuilder builder =
                SslContextBuilder.forServer(keyManager)
                        .sslProvider(SslProvider.OPENSSL_REFCNT) // and never the JDK's
                        // The callbacks are short: on the event loop they cost less than a task.
                        .option(OpenSslContextOption.USE_TASKS, false)
                        .option(
                                OpenSslContextOption.GROUPS,
                                policy.groups().toArray(String[]::new));
        switch (policy.profile()) {
            case TlsProfile.INTERMEDIATE -> {
                List<String> suites = new ArrayList<>(TLS_1_3_SUITES);
                suites.addAll(TLS_1_2_SUITES);
                builder.protocols("TLSv1.3", "TLSv1.2").ciphers(suites);
            }
            case TlsProfile.MODERN -> builder.protocols("TLSv1.3").ciphers(TLS_1_3_SUITES);
        }
        switch (policy.clientAuthentication()) {
            case ClientAuthentication.None _ ->
                    builder.clientAuth(ClientAuth.NONE).trustManager(new TrustNobody());
            case ClientAuthentication.Optional(TrustAnchors anchors) ->
                    builder.clientAuth(ClientAuth.OPTIONAL).trustManager(parse(anchors));
            case ClientAuthentication.Required(TrustAnchors anchors) ->
                    builder.clientAuth(ClientAuth.REQUIRE).trustManager(parse(anchors));
        }
        if (!policy.applicationProtocols().isEmpty()) {
            builder.applicationProtocolConfig(
                    new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            policy.applicationProtocols()));
        }
        return builder;
    }

    private static X509Certificate[] parse(TrustAnchors anchors) {
        List<X509Certificate> certificates = new ArrayList<>();
        for (byte[] der : anchors.certificates()) {
            try {
                certificates.add(
                        (X509Certificate)
                                CertificateFactory.getInstance("X.509")
                                        .generateCertificate(new ByteArrayInputStream(der)));
            } catch (CertificateException unreadable) {
                throw new IllegalArgumentException(
                        "trust anchor " + (certificates.size() + 1) + ": not a certificate",
                        unreadable);
            }
        }
        return certificates.toArray(X509Certificate[]::new);
    }

    private static void requireValid(Certificate[] chain, Instant now)
            throws SSLPeerUnverifiedException {
        if (chain.length == 0 || !(chain[0] instanceof X509Certificate leaf)) {
            throw new SSLPeerUnverifiedException("no client certificate");
        }
        try {
            leaf.checkValidity(Date.from(now));
        } catch (GeneralSecurityException outOfDate) {
            throw new SSLPeerUnverifiedException("client certificate: " + outOfDate.getMessage());
        }
    }

    /**
     * Over everything of the policy that decides who gets in and how: one that becomes stricter
     * does not honour what the looser one handed out. 32 bytes are also the most BoringSSL takes.
     */
    private static byte[] digest(TlsPolicy policy) {
        MessageDigest sha256 = sha256();
        update(sha256, policy.profile().name());
        policy.groups().forEach(group -> update(sha256, "group " + group));
        policy.applicationProtocols().forEach(name -> update(sha256, "protocol " + name));
        switch (policy.clientAuthentication()) {
            case ClientAuthentication.None _ -> update(sha256, "none");
            case ClientAuthentication.Optional(TrustAnchors anchors) ->
                    update(sha256, "optional", anchors);
            case ClientAuthentication.Required(TrustAnchors anchors) ->
                    update(sha256, "required", anchors);
        }
        return sha256.digest();
    }

    private static void update(MessageDigest sha256, String mode, TrustAnchors anchors) {
        update(sha256, mode);
        anchors.certificates().forEach(der -> sha256.update(sha256().digest(der)));
    }

    private static void update(MessageDigest sha256, String text) {
        sha256.update(text.getBytes(StandardCharsets.UTF_8));
        sha256.update((byte) 0);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException missingFromTheJdk) {
            throw new IllegalStateException(missingFromTheJdk);
        }
    }

    @Override
    public String toString() {
        return "PolicyContext[" + policy + "]";
    }
}
