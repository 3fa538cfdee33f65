package dev.sallyport.bench.table;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RoutingTable;
import java.util.SplittableRandom;
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
 * From the bytes of host and path to a route; both strings are made anew each time, as a request
 * has them. {@link #namesOnly} is that part alone.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked // JMH sets the fields before anything reads them
public class RouteLookupBenchmark {
    /** Hosts in the table. */
    @Param({"100", "10000", "100000"})
    private int hosts;

    /** Prefixes of each host: few are scanned, many are looked up by hash. */
    @Param({"1", "100"})
    private int paths;

    /** What is asked for. */
    @Param({"EXACT", "WILDCARD", "MISS"})
    private Asked asked;

    private RoutingTable table;
    private byte[][] names;
    private final byte[][] targets = new byte[1 << 10][];
    private int next;

    /** Fills the table. */
    @Setup
    public void fill() {
        table = Tables.routes(hosts, paths);
        names = asked.names(hosts);
        var random = new SplittableRandom(17);
        for (int i = 0; i < targets.length; i++) {
            String prefix = Tables.path(random.nextInt(paths));
            targets[i] = (prefix + "/assets/site.css").replace("//", "/").getBytes(ISO_8859_1);
        }
    }

    /** A lookup. */
    @Benchmark
    public @Nullable Route find() {
        return table.find(nextHost(), nextPath());
    }

    /** What making the two strings costs. */
    @Benchmark
    public int namesOnly() {
        return nextHost().length() + nextPath().length();
    }

    private String nextHost() {
        return Hostname.normalise(new String(names[next++ & (names.length - 1)], ISO_8859_1));
    }

    private String nextPath() {
        return new String(targets[next & (targets.length - 1)], ISO_8859_1);
    }
}
