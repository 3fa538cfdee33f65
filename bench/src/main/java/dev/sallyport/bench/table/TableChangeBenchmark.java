package dev.sallyport.bench.table;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateTable;
import dev.sallyport.model.route.RoutingTable;
import java.util.Map;
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

/** What it costs to make the next table when one host of many changes: flat in their number. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked // JMH sets the fields before anything reads them
public class TableChangeBenchmark {
    /** Hosts in the table. */
    @Param({"100", "10000", "100000"})
    private int hosts;

    private CertificateTable certificates;
    private CertificateBundle bundle;
    private RoutingTable routes;
    private int next;

    /** Fills the tables. */
    @Setup
    public void fill() {
        certificates = Tables.certificates(hosts);
        routes = Tables.routes(hosts, 4);
        bundle = Tables.bundle();
    }

    /** One certificate was rotated; its bundle is there already. */
    @Benchmark
    public CertificateTable rotation() {
        int host = next++ % hosts;
        return new CertificateTable(
                certificates
                        .hosts()
                        .with(Map.of(Tables.host(host), Tables.certificates(bundle, host))),
                certificates.fallback());
    }

    /** One host's four routes were edited. */
    @Benchmark
    public RoutingTable edit() {
        int host = next++ % hosts;
        return new RoutingTable(
                routes.hosts().with(Map.of(Tables.host(host), Tables.virtualHost(host, 4))),
                routes.anyHost(),
                routes.fallback());
    }
}
