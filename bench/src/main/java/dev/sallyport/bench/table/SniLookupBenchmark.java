package dev.sallyport.bench.table;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.name.Hostname;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
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
 * From the bytes of a server name to its certificates: a string is made and normalised each time,
 * since the wire's has no cached hash either. {@link #nameOnly} is that part alone.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked // JMH sets the fields before anything reads them
public class SniLookupBenchmark {
    /** Names in the table. */
    @Param({"100", "10000", "100000"})
    private int hosts;

    /** What is asked for. */
    @Param({"EXACT", "WILDCARD", "MISS"})
    private Asked asked;

    private CertificateTable table;
    private byte[][] names;
    private int next;

    /** Fills the table. */
    @Setup
    public void fill() {
        table = Tables.certificates(hosts);
        names = asked.names(hosts);
    }

    /** A lookup. */
    @Benchmark
    public @Nullable CertificateSet find() {
        return table.find(nextName());
    }

    /** What making the name costs. */
    @Benchmark
    public String nameOnly() {
        return nextName();
    }

    private String nextName() {
        return Hostname.normalise(new String(names[next++ & (names.length - 1)], ISO_8859_1));
    }
}
