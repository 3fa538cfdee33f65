package dev.sallyport.acme.challenge;

import dev.sallyport.acme.plan.Identifier;

/** What has to be shown for one identifier. */
public sealed interface Proof {

    /** What it proves. */
    Identifier identifier();

    /** Where the CA looks for it. */
    ChallengeType type();

    /**
     * For HTTP-01.
     *
     * @param token as the CA chose it, and proven to be base64url: the last segment of the path
     * @param keyAuthorization what is to be answered
     */
    record Http(Identifier identifier, String token, String keyAuthorization) implements Proof {
        @Override
        public ChallengeType type() {
            return ChallengeType.HTTP_01;
        }
    }

    /** For TLS-ALPN-01. */
    record TlsAlpn(Identifier identifier, AlpnCertificate certificate) implements Proof {
        @Override
        public ChallengeType type() {
            return ChallengeType.TLS_ALPN_01;
        }
    }

    /**
     * For DNS-01.
     *
     * @param name the record's name, without the dot at its end
     * @param value the TXT record's text
     */
    record Dns(Identifier identifier, String name, String value) implements Proof {
        @Override
        public ChallengeType type() {
            return ChallengeType.DNS_01;
        }
    }
}
