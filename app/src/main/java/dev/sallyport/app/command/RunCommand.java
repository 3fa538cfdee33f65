package dev.sallyport.app.command;

import dev.sallyport.app.config.EffectiveConfig;
import dev.sallyport.app.telemetry.Logging;
import dev.sallyport.app.wire.Gateway;
import dev.sallyport.app.wire.ObjectSource;
import dev.sallyport.app.wire.StartFailed;
import dev.sallyport.control.cluster.ClusterAccess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code run}: serves a cluster or a folder until told to stop. */
@Command(
        name = "run",
        description = {
            "Serves the Ingresses of a cluster, or of a folder of manifests, until it is told to stop.",
            "In a pod, the cluster is the pod's own, reached by its service account; elsewhere, --kubeconfig or"
                    + " --resources says what to serve.",
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
        ObjectSource source = source(config);
        Logging.apply(config.config().log());
        var termination = new Termination(() -> {});
        try {
            termination.drains(Gateway.start(config, source, surroundings.time()));
            new CountDownLatch(1).await();
            return ExitCode.OK.number();
        } catch (StartFailed failed) {
            throw new Failed(
                    failed.isConfigured() ? ExitCode.CONFIGURATION : ExitCode.UNAVAILABLE,
                    failed.getMessage() + "\n  " + failed.advice());
        } finally {
            termination.cancel();
            Logging.flush();
        }
    }

    private ObjectSource source(EffectiveConfig config) throws Failed {
        Optional<Path> resources = config.config().resources();
        if (resources.isPresent()) {
            if (!Files.isDirectory(resources.get())) {
                throw new Failed(
                        ExitCode.NO_INPUT,
                        resources.get()
                                + " is not a folder: name a folder of manifests with --resources DIR");
            }
            return new ObjectSource.Folder(resources.get());
        }
        Optional<Path> kubeconfig = config.config().kubernetes().kubeconfig();
        if (kubeconfig.isPresent() && !Files.isReadable(kubeconfig.get())) {
            throw new Failed(
                    ExitCode.NO_INPUT,
                    kubeconfig.get() + " cannot be read: name a kubeconfig with --kubeconfig FILE");
        }
        return ClusterAccess.of(kubeconfig, surroundings.environment())
                .<ObjectSource>map(access -> new ObjectSource.Cluster(access, pod()))
                .orElseThrow(() ->
                        new Failed(
                                ExitCode.USAGE,
                                "nothing to serve, for this is no pod of a cluster: give --kubeconfig FILE to serve"
                                        + " an API server's objects, or --resources DIR (SALLYPORT_RESOURCES, or"
                                        + " `resources:` in the configuration) to serve a folder of manifests;"
                                        + " `sallyport demo` makes one to try"));
    }

    /** As the downward API says it in the Pod's manifest. */
    private Optional<String> pod() {
        return Optional.ofNullable(surroundings.environment().get("POD_NAME"))
                .filter(name -> !name.isBlank());
    }
}
