package dev.sallyport.model.listener;

import java.util.Arrays;
import java.util.List;

/** Whether clients present certificates of their own. */
public sealed interface ClientAuthentication {

    /** Clients are not asked. */
    record None() implements ClientAuthentication {}

    /** Clients may present a certificate; one that does not verify is refused. */
    record Optional(TrustAnchors anchors) implements ClientAuthentication {}

    /** Clients must present a certificate that verifies. */
    record Required(TrustAnchors anchors) implements ClientAuthentication {}

    /** The authorities that may have issued a client's certificate, as DER; at least one. */
    final class TrustAnchors {
        private final List<byte[]> certificates;

        private TrustAnchors(List<byte[]> certificates) {
            this.certificates = certificates;
        }

        /** Copies {@code certificates}. */
        public static TrustAnchors of(List<byte[]> certificates) {
            if (certificates.isEmpty()) {
                // Fail closed: an empty bundle must not come to mean "anybody".
                throw new IllegalArgumentException(
                        "trust anchors: none (expected: at least one certificate)");
            }
            return new TrustAnchors(certificates.stream().map(byte[]::clone).toList());
        }

        /** DER; copies. */
        public List<byte[]> certificates() {
            return certificates.stream().map(byte[]::clone).toList();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof TrustAnchors that
                    && Arrays.deepEquals(certificates.toArray(), that.certificates.toArray());
        }

        @Override
        public int hashCode() {
            return Arrays.deepHashCode(certificates.toArray());
        }

        @Override
        public String toString() {
            return "TrustAnchors[" + certificates.size() + "]";
        }
    }
}
