package dev.sallyport.bench.certificate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.certificate.KeyType;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.tls.certificate.CertificateParser;
import dev.sallyport.tls.certificate.DemoAuthority;
import dev.sallyport.tls.context.NativeProof;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From the PEM of a TLS Secret (leaf, authority, key) to a bundle whose key was proven to be the
 * leaf's: what each certificate costs at start, and what a rotation costs.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked // JMH sets the fields before anything reads them
public class CertificateParseBenchmark {
    private static final ObjectRef SECRET = new ObjectRef("Secret", "default", "shop-tls");

    /** The leaf's kind of key. */
    @Param({"ECDSA", "RSA", "ED25519"})
    private KeyType keyType;

    /** What proves it: BoringSSL, as in a gateway that serves, or the JDK. */
    @Param({"native", "signature"})
    private String proof;

    private KeyProof prover;
    private byte[] tlsCrt;
    private byte[] tlsKey;

    /** Has a leaf issued. */
    @Setup
    public void issue() {
        DemoAuthority.Issued issued =
                DemoAuthority.create("Bench CA", InstantSource.system())
                        .issue(
                                List.of(new Hostname.Exact("shop.example.com")),
                                Duration.ofDays(30),
                                keyType);
        prover = proof.equals("native") ? new NativeProof() : KeyProof.BY_SIGNATURE;
        tlsCrt = issued.tlsCrt().getBytes(ISO_8859_1);
        tlsKey = issued.tlsKey().getBytes(ISO_8859_1);
    }

    /** Parse and prove. */
    @Benchmark
    public Parsed<CertificateBundle> parse() {
        return CertificateParser.parse(SECRET, tlsCrt.clone(), tlsKey.clone(), prover);
    }
}
