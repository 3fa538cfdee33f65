package dev.sallyport.app.command;

import dev.sallyport.app.config.ConfigLoader.FlagValue;
import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.telemetry.Logging;
import dev.sallyport.app.wire.Gateway;
import dev.sallyport.app.wire.ObjectSource;
import dev.sallyport.app.wire.StartFailed;
import dev.sallyport.model.certificate.CertificateSet;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}: a gateway with everything it needs, until Ctrl-C. */
@Command(
        name = "demo",
        description = {
            "Shows the gateway at work: makes a throw-away CA, manifests for two hosts and two small"
                    + " backends in a temporary folder, serves them on this machine only, and prints commands"
                    + " to try.",
            "With --acme the certificates are issued by Pebble, an ACME CA for tests, if pebble and"
                    + " pebble-challtestsrv are on the PATH or Docker runs.",
            "Ctrl-C ends it and removes the folder."
        })
final class DemoCommand implements Callable<Integer> {
    private static final String ADDRESS = "127.0.0.1";
    private static final int HTTP = 8080;
    private static final int HTTPS = 8443;
    private static final int ADMIN = 9090;
    private static final long LOOK_MILLIS = 100;

    private final CommandLineProgram.Surroundings surroundings;
    private final PrintWriter out;

    @Option(
            names = "--acme",
            description = "Has the certificates issued by an ACME CA for tests, on this machine.")
    private boolean acme;

    DemoCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
        out = surroundings.out();
    }

    /** Where the demonstration listens. */
    private record Ports(int http, int https, int admin) {}

    @Override
    public Integer call() throws Failed, InterruptedException {
        var folder = new DemoFolder("demo");
        var pebble = new AtomicReference<@Nullable DemoPebble>();
        // Before there is anything to clean up: the folder holds keys.
        var termination = new Termination(() -> cleanUp(pebble.get(), folder));
        try (var shop = DemoBackend.start("shop");
                var blog = DemoBackend.start("blog")) {
            if (acme) {
                folder.make(surroundings.time());
                folder.fillWithoutCertificates(shop.port(), blog.port());
                pebble.set(DemoPebble.in(folder, surroundings.environment()));
            } else {
                folder.fill(shop.port(), blog.port(), surroundings.time());
            }
            serve(folder, pebble.get(), termination);
            return ExitCode.OK.number();
        } catch (IOException unwritable) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    "the demonstration cannot be set up in "
                            + System.getProperty("java.io.tmpdir")
                            + ": "
                            + unwritable);
        } catch (StartFailed failed) {
            throw new Failed(ExitCode.UNAVAILABLE, failed.getMessage() + "\n  " + failed.advice());
        } finally {
            termination.cancel();
            Logging.flush();
        }
    }

    private static void cleanUp(@Nullable DemoPebble pebble, DemoFolder folder) {
        if (pebble != null) {
            pebble.close();
        }
        folder.delete();
    }

    private void serve(DemoFolder folder, @Nullable DemoPebble pebble, Termination termination)
            throws Failed, StartFailed, InterruptedException, IOException {
        var ports = new Ports(portOr(HTTP), portOr(HTTPS), portOr(ADMIN));
        if (pebble != null) {
            pebble.start(ports.http(), ports.https(), out);
        }
        EffectiveConfig config = config(folder, ports, pebble);
        Logging.apply(config.config().log());
        Gateway gateway =
                Gateway.start(
                        config, new ObjectSource.Folder(folder.resources()), surroundings.time());
        termination.drains(gateway);
        if (pebble == null) {
            explain(folder, ports);
        } else {
            if (!pebble.await(() -> isIssued(gateway))) {
                out.println("Not all certificates are issued yet: `acme orders`, below, says why.");
            }
            explainAcme(folder, ports, pebble);
        }
        watch(gateway);
    }

    private static boolean isIssued(Gateway gateway) {
        return gateway.served().certificates().hosts().find(DemoFolder.SHOP) != null
                && gateway.served().certificates().hosts().find(DemoFolder.BLOG) != null;
    }

    private static EffectiveConfig config(
            DemoFolder folder, Ports ports, @Nullable DemoPebble pebble) throws Failed {
        String https = Integer.toString(ports.https());
        List<FlagValue> flags = new ArrayList<>();
        if (pebble != null) {
            flags.add(flag("acme.directory", pebble.directory()));
            flags.add(flag("acme.agree-terms", "true"));
            flags.add(flag("acme.contacts", "admin@" + DemoFolder.SHOP));
            flags.add(flag("acme.ca-file", folder.authority().toString()));
            flags.add(flag("acme.state", folder.state().toString()));
        }
        flags.addAll(
                List.of(
                        flag("resources", folder.resources().toString()),
                        flag("listeners.http", ADDRESS + ":" + ports.http()),
                        flag("listeners.https", ADDRESS + ":" + https),
                        flag("listeners.admin", ADDRESS + ":" + ports.admin()),
                        flag("redirect.port", https),
                        flag("timeouts.drain", "2s"),
                        flag("access-log.format", "off"),
                        flag("log.level", "warn"),
                        flag("log.format", "text")));
        // Neither file nor environment: the demonstration is the same everywhere.
        return ConfigFlags.load(Optional.empty(), Map.of(), flags);
    }

    private static FlagValue flag(String key, String value) {
        return new FlagValue(key, "demo", List.of(value));
    }

    private static String program() {
        return System.getProperty("sallyport.command", "./sallyport");
    }

    private static String admin(Ports ports) {
        return ports.admin() == ADMIN ? "" : " --admin " + ADDRESS + ":" + ports.admin();
    }

    private void explainAcme(DemoFolder folder, Ports ports, DemoPebble pebble) {
        String program = program();
        String admin = admin(ports);
        out.println(
                "Sallyport serves two hosts, with certificates that Pebble, an ACME CA for tests ("
                        + pebble.from()
                        + "), has just issued. In another terminal:");
        taken(ports.http(), HTTP);
        taken(ports.https(), HTTPS);
        taken(ports.admin(), ADMIN);
        step("Ask each host; only the CA's root is trusted:");
        line(curl(folder.acmeRoot(), DemoFolder.SHOP, ports.https()));
        line(curl(folder.acmeRoot(), DemoFolder.BLOG, ports.https()));
        step("See what is done next about each certificate, when, and why:");
        line(program + " acme" + admin);
        line(program + " acme certificates" + admin);
        line(program + " acme accounts" + admin);
        step("Add a host; seconds later it has a certificate of its own:");
        line(
                "sed s/shop/more/g "
                        + shell(folder.application("shop"))
                        + " > "
                        + shell(folder.application("more")));
        line(
                curl(folder.acmeRoot(), "more.example", ports.https())
                        .replaceFirst(
                                "curl ", "curl --retry 20 --retry-delay 1 --retry-all-errors "));
        step(
                "Have another certificate issued; the next connection gets it, and it is announced here:");
        line(program + " acme renew " + DemoFolder.SHOP + admin);
        out.println();
        out.println("Everything is in " + folder.root() + ". Ctrl-C ends this and removes it.");
        out.println();
        out.flush();
    }

    private void explain(DemoFolder folder, Ports ports) {
        String program = program();
        String admin = admin(ports);
        out.println("Sallyport serves two hosts. In another terminal:");
        taken(ports.http(), HTTP);
        taken(ports.https(), HTTPS);
        taken(ports.admin(), ADMIN);
        step("Ask each host, with a certificate of its own:");
        line(curl(folder.authority(), DemoFolder.SHOP, ports.https()));
        line(curl(folder.authority(), DemoFolder.BLOG, ports.https()));
        step("Plain HTTP is redirected:");
        line(
                "curl -i --resolve "
                        + resolve(DemoFolder.SHOP, ports.http())
                        + " 'http://"
                        + DemoFolder.SHOP
                        + ":"
                        + ports.http()
                        + "/cart?id=1'");
        step("See what is served:");
        line(program + " certs" + admin);
        line(program + " routes" + admin);
        step("Rotate a certificate; the next connection gets it, and it is announced here:");
        line("cp " + shell(folder.nextShopSecret()) + " " + shell(folder.shopSecret()));
        step("Break the file; the last good certificate stays, and the fault is reported:");
        line("echo 'kind: {' > " + shell(folder.shopSecret()));
        line(program + " check " + shell(folder.resources()));
        line("curl -s http://" + ADDRESS + ":" + ports.admin() + "/api/findings");
        out.println();
        out.println("Everything is in " + folder.root() + ". Ctrl-C ends this and removes it.");
        out.println();
        out.flush();
    }

    private void taken(int port, int usual) {
        if (port != usual) {
            out.println("(Port " + usual + " is taken; " + port + " is used instead.)");
        }
    }

    private void step(String text) {
        out.println();
        out.println(text);
    }

    private void line(String text) {
        out.println("  " + text);
    }

    private static String curl(Path authority, String host, int port) {
        return "curl --cacert "
                + shell(authority)
                + " --resolve "
                + resolve(host, port)
                + " https://"
                + host
                + ":"
                + port
                + "/";
    }

    /** A path as a POSIX shell reads it back. */
    private static String shell(Path path) {
        String text = path.toString();
        return text.matches("[A-Za-z0-9_@%+=:,./-]+")
                ? text
                : "'" + text.replace("'", "'\\''") + "'";
    }

    private static String resolve(String host, int port) {
        return host + ":" + port + ":" + ADDRESS;
    }

    /** Announces what the shop is served with, whenever that changes. Ends with the process. */
    private void watch(Gateway gateway) throws InterruptedException {
        var never = new CountDownLatch(1);
        String serial = serial(gateway);
        out.println(DemoFolder.SHOP + " is served with certificate " + serial);
        out.flush();
        while (!never.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            String current = serial(gateway);
            if (!current.equals(serial)) {
                serial = current;
                out.println(DemoFolder.SHOP + " is now served with certificate " + serial);
                out.flush();
            }
        }
    }

    private static String serial(Gateway gateway) {
        @Nullable CertificateSet served =
                gateway.served().certificates().hosts().find(DemoFolder.SHOP);
        return served == null ? "(none)" : served.certificates().getFirst().bundle().serial();
    }

    private static int portOr(int usual) throws IOException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.ofLiteral(ADDRESS), usual));
            return usual;
        } catch (IOException taken) {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral(ADDRESS))) {
                return free.getLocalPort();
            }
        }
    }
}
