package dev.sallyport.tls.front;

import static dev.sallyport.tls.certificate.TestCertificates.bytes;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.HostTable;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;
import dev.sallyport.tls.certificate.TestCertificates;
import dev.sallyport.tls.certificate.TestCertificates.Made;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tables of certificates for handshakes. */
final class TestPki {
    static final ObjectRef SECRET = new ObjectRef("Secret", "shop", "shop-tls");

    private TestPki() {}

    static CertificateBundle bundle(Made made) {
        return switch (CertificateParser.parse(SECRET, bytes(made.crt()), bytes(made.key()))) {
            case Parsed.Usable<CertificateBundle>(CertificateBundle bundle, _) -> bundle;
            case Parsed.Rejected<CertificateBundle>(var findings) ->
                    throw new AssertionError(findings.toString());
        };
    }

    static ServedCertificate served(CertificateBundle bundle) {
        return new ServedCertificate(bundle, SECRET, TestCertificates.NOW, false);
    }

    /** A set whose leafs have the common name {@code id}, one for each kind of key. */
    static CertificateSet set(String id, String... kinds) {
        List<ServedCertificate> certificates = new ArrayList<>();
        for (String kind : kinds.length == 0 ? new String[] {"EC-secp256r1"} : kinds) {
            certificates.add(
                    served(
                            bundle(
                                    TestCertificates.valid()
                                            .subject("CN=" + id)
                                            .names(id + ".test")
                                            .keys(TestCertificates.keyPair(kind))
                                            .make())));
        }
        return CertificateSet.of(certificates);
    }

    static Builder table() {
        return new Builder();
    }

    static final class Builder {
        private final Map<Hostname, CertificateSet> hosts = new LinkedHashMap<>();
        private final Map<String, CertificateSet> challenges = new LinkedHashMap<>();
        private Optional<CertificateSet> fallback = Optional.empty();

        Builder host(String name, CertificateSet set) {
            hosts.put(Hostname.parse(name), set);
            return this;
        }

        Builder fallback(CertificateSet set) {
            fallback = Optional.of(set);
            return this;
        }

        Builder challenge(String serverName, CertificateSet set) {
            challenges.put(serverName, set);
            return this;
        }

        CertificateTable build() {
            return new CertificateTable(HostTable.copyOf(hosts), fallback, challenges);
        }
    }
}
