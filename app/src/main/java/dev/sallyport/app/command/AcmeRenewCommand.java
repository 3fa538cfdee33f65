package dev.sallyport.app.command;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code acme renew}: another certificate now. */
@Command(
        name = "renew",
        description = {
            "Has another certificate issued for a host at once, whatever the plan.",
            "What the CA allows at most goes on counting. Has to be run where the gateway runs."
        })
final class AcmeRenewCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Parameters(paramLabel = "HOST", description = "The host, as it is in its Ingress.")
    private String host = "";

    @Mixin private AdminQuery query = new AdminQuery();

    AcmeRenewCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed {
        return query.tell(
                "/api/acme/renew",
                List.of("host", host),
                surroundings,
                host
                        + ": another certificate is ordered; `sallyport acme orders` says how far it"
                        + " is");
    }
}
