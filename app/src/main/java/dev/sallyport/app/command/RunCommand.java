package dev.sallyport.app.command;

import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.telemetry.Logging;
import dev.sallyport.app.wire.Gateway;
import dev.sallyport.app.wire.StartFailed;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code run}: serves a folder until told to stop. */
@Command(
        name = "run",
        description = {
            "Serves a folder of Kubernetes manifests until it is told to stop.",
            "SIGTERM and Ctrl-C drain and end with 0. Logs go to standard error: text on a terminal, JSON"
                    + " otherwise. The access log goes to standard output."
        })
final class RunCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Mixin private ConfigFlags flags = new ConfigFlags();

    RunCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed, InterruptedException {
        EffectiveConfig config = flags.load(surroundings.environment());
        Path resources =
                config.config()
                        .resources()
                        .orElseThrow(() ->
                                new Failed(
                                        ExitCode.USAGE,
                                        "no folder to serve: give --resources DIR, or SALLYPORT_RESOURCES, or `resources:` in"
                                                + " the configuration; `sallyport demo` makes one to try"));
        if (!Files.isDirectory(resources)) {
            throw new Failed(
                    ExitCode.NO_INPUT,
                    resources
                            + " is not a folder: name a folder of manifests with --resources DIR");
        }
        Logging.apply(config.config().log());
        var termination = new Termination(() -> {});
        try {
            termination.drains(Gateway.start(config, resources, surroundings.time()));
            new CountDownLatch(1).await();
            return ExitCode.OK.number();
        } catch (StartFailed failed) {
            throw new Failed(ExitCode.UNAVAILABLE, failed.getMessage() + "\n  " + failed.advice());
        } finally {
            termination.cancel();
            Logging.flush();
        }
    }
}
