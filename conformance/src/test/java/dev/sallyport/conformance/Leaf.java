package dev.sallyport.conformance;

import java.math.BigInteger;
import java.security.cert.X509Certificate;

/**
 * A certificate with its key, as a Secret holds them.
 *
 * @param certificate the leaf
 * @param chain PEM, leaf first, without the root
 * @param key PEM, PKCS#8
 */
record Leaf(X509Certificate certificate, String chain, String key) {

    /** The leaf's serial, by which tests tell one certificate from another. */
    BigInteger serial() {
        return certificate.getSerialNumber();
    }

    @Override
    public String toString() {
        return "Leaf[serial=" + serial().toString(16) + "]";
    }
}
