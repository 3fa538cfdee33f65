package dev.sallyport.app.command;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code acme revoke}: a certificate is not to be trusted any more. */
@Command(
        name = "revoke",
        description = {
            "Has the CA revoke a host's certificate, then another one issued if the host is there.",
            "The revoked one is served until the other is there. Has to be run where the gateway runs."
        })
final class AcmeRevokeCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Parameters(paramLabel = "HOST", description = "The host, as it is in its Ingress.")
    private String host = "";

    @Option(
            names = "--key-compromise",
            description = "Tells the CA that others may have the private key.")
    private boolean keyCompromise;

    @Mixin private AdminQuery query = new AdminQuery();

    AcmeRevokeCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed {
        String reason = keyCompromise ? "key-compromise" : "superseded";
        return query.tell(
                "/api/acme/revoke",
                List.of("host", host, "reason", reason),
                surroundings,
                host
                        + ": the CA is asked to revoke its certificate; the log says whether it did,"
                        + " `sallyport acme orders` how far the next is");
    }
}
