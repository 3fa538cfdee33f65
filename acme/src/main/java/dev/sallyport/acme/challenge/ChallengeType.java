package dev.sallyport.acme.challenge;

/** The ways in which a CA looks for a proof. */
public enum ChallengeType {
    /** A path on port 80 (RFC 8555 section 8.3). */
    HTTP_01("http-01"),
    /** A certificate on port 443 (RFC 8737). */
    TLS_ALPN_01("tls-alpn-01"),
    /** A TXT record (RFC 8555 section 8.4): the only one for wildcards. */
    DNS_01("dns-01");

    private final String text;

    ChallengeType(String text) {
        this.text = text;
    }

    /** As the protocol has it. */
    public String text() {
        return text;
    }
}
