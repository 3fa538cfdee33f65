package dev.sallyport.tls.context;

import dev.sallyport.model.certificate.CertificateBundle;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.internal.tcnative.SSL;
import io.netty.internal.tcnative.SSLCredential;
import io.netty.util.AbstractReferenceCounted;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCounted;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * The SSL_CREDENTIAL of one {@link CertificateBundle}: one native reference, given back when the
 * last Java reference is released. Safe from any thread.
 *
 * <p>{@code SSL_add1_credential} takes a native reference of its own, so a handshake keeps the
 * credential alive however early ours is freed. The Java count guards only the moment of that call:
 * an eviction on another thread must not free the pointer between our lookup and the call.
 */
final class NativeCredential extends AbstractReferenceCounted {
    private final long pointer;
    private final CredentialCounts counts;

    private NativeCredential(long pointer, CredentialCounts counts) {
        this.pointer = pointer;
        this.counts = counts;
    }

    /**
     * @throws CredentialRefused where the native library does not take chain or key
     */
    static NativeCredential load(CertificateBundle bundle, CredentialCounts counts) {
        long pointer = bundle.privateKey().use(pkcs8 -> create(bundle.chain(), pkcs8));
        NativeCredential credential = new NativeCredential(pointer, counts);
        counts.countCreated();
        return credential;
    }

    /** Whether the native library takes a key for a certificate. Leaves nothing behind. */
    static boolean accepts(byte[] leaf, byte[] pkcs8) {
        try {
            free(create(List.of(leaf), pkcs8));
            return true;
        } catch (CredentialRefused _) {
            return false;
        }
    }

    /** Takes a reference; false where the last one is gone already. */
    boolean tryRetain() {
        if (refCnt() == 0) {
            return false;
        }
        try {
            retain();
            return true;
        } catch (IllegalReferenceCountException freedMeanwhile) {
            return false;
        }
    }

    /**
     * Gives the credential to a connection. The caller holds a reference, and {@code ssl} is alive
     * and in its certificate callback.
     */
    void addTo(long ssl) {
        try {
            SSL.addCredential(ssl, pointer);
        } catch (Exception e) { // what tcnative declares
            throw new CredentialRefused(e);
        }
    }

    @Override
    protected void deallocate() {
        free(pointer);
        counts.countFreed();
    }

    private static void free(long pointer) {
        try {
            SSLCredential.free(pointer);
        } catch (Exception e) { // declared, but the native code throws nothing
            throw new IllegalStateException(e);
        }
    }

    @Override
    public ReferenceCounted touch(Object hint) {
        return this;
    }

    private static long create(List<byte[]> ders, byte[] pkcs8) {
        long chain = 0;
        long key = 0;
        try {
            chain = parse("CERTIFICATE", ders, SSL::parseX509Chain);
            key = parse("PRIVATE KEY", List.of(pkcs8), bio -> SSL.parsePrivateKey(bio, null));
            return create(chain, key);
        } finally { // the credential holds its own references to both
            if (chain != 0) {
                SSL.freeX509Chain(chain);
            }
            if (key != 0) {
                SSL.freePrivateKey(key);
            }
        }
    }

    private static long create(long chain, long key) {
        long credential = 0;
        try {
            credential = SSLCredential.newX509();
            SSLCredential.setPrivateKey(credential, key);
            SSLCredential.setCertChain(credential, chain); // fails where the key is not the leaf's
            return credential;
        } catch (Exception refused) { // what tcnative declares
            if (credential != 0) {
                free(credential);
            }
            throw new CredentialRefused(refused);
        }
    }

    private interface Parser {
        long parse(long bio) throws Exception;
    }

    /**
     * tcnative reads PEM only, out of a memory BIO. All copies are zeroed: one may be of a private
     * key; BoringSSL clears what it frees itself.
     */
    private static long parse(String label, List<byte[]> ders, Parser parser) {
        byte[] head = ("-----BEGIN " + label + "-----\n").getBytes(StandardCharsets.US_ASCII);
        byte[] tail = ("\n-----END " + label + "-----\n").getBytes(StandardCharsets.US_ASCII);
        Base64.Encoder encoder = Base64.getMimeEncoder(64, new byte[] {'\n'});
        int length = 0;
        for (byte[] der : ders) {
            length += head.length + tail.length + der.length * 3 / 2 + 8;
        }
        ByteBuf pem = UnpooledByteBufAllocator.DEFAULT.directBuffer(length, length);
        long bio = 0;
        try {
            bio = SSL.newMemBIO();
            for (byte[] der : ders) {
                byte[] digits = encoder.encode(der);
                pem.writeBytes(head).writeBytes(digits).writeBytes(tail);
                Arrays.fill(digits, (byte) 0);
            }
            int readable = pem.readableBytes();
            if (SSL.bioWrite(bio, pem.memoryAddress(), readable) != readable) {
                throw new IllegalStateException("short write into a memory BIO");
            }
            return parser.parse(bio);
        } catch (Exception refused) { // what tcnative declares
            throw new CredentialRefused(refused);
        } finally {
            if (bio != 0) {
                SSL.freeBIO(bio);
            }
            pem.setZero(0, pem.capacity()).release();
        }
    }
}
