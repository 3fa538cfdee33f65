package dev.sallyport.app.command;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code acme rollover}: an account gets another key. */
@Command(
        name = "rollover",
        description = {
            "Has an issuer's account change its key, once none of its orders is under way.",
            "Certificates and what the CA has proven stay. Has to be run where the gateway runs."
        })
final class AcmeRollOverCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Parameters(
            paramLabel = "ISSUER",
            arity = "0..1",
            defaultValue = "default",
            description = "The issuer's configured name; default: ${DEFAULT-VALUE}.")
    private String issuer = "default";

    @Mixin private AdminQuery query = new AdminQuery();

    AcmeRollOverCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed {
        return query.tell(
                "/api/acme/rollover",
                List.of("issuer", issuer),
                surroundings,
                issuer + ": the account is to get another key; the log says whether it did");
    }
}
