package dev.sallyport.app.command;

import dev.sallyport.acme.issuer.KnownDirectory;
import dev.sallyport.acme.issuer.Origin;
import dev.sallyport.acme.store.DirectoryStore;
import dev.sallyport.acme.store.UnusableStateFolder;
import dev.sallyport.app.admin.FindingView;
import dev.sallyport.app.takeover.Takeover;
import dev.sallyport.app.takeover.Takeover.Taken;
import dev.sallyport.app.takeover.Takeover.What;
import dev.sallyport.model.finding.FileFault;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.PlainText;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code acme import}: certificates and accounts of another program. */
@Command(
        name = "import",
        description = {
            "Takes certificates and accounts over from Traefik (its acme.json, of versions 2 and 3) or"
                    + " from Caddy, or whatever else is made with certmagic (its storage folder).",
            "While no gateway runs on the state folder. What is there and newer stays; what cannot be"
                    + " used is told and left out."
        })
final class AcmeImportCommand implements Callable<Integer> {
    private final CommandLineProgram.Surroundings surroundings;

    @Parameters(paramLabel = "FILE|FOLDER", description = "acme.json, or the storage folder.")
    private Path from = Path.of("");

    @Option(
            names = "--state",
            paramLabel = "DIR",
            required = true,
            description = "The state folder, as `run` is given it.")
    private Path state = Path.of("");

    @Option(
            names = "--issuer",
            paramLabel = "NAME",
            description =
                    "What the CA is called in the configuration. Default: default, as for --acme-directory"
                            + " of `run`.")
    private String issuer = "default";

    @Option(
            names = "--acme-directory",
            paramLabel = "URL",
            description =
                    "The CA's directory, or its word, where what is imported does not tell it.")
    private @Nullable String directory;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            description = "How to print it. Default: text.")
    private Output output = Output.TEXT;

    AcmeImportCommand(CommandLineProgram.Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Failed {
        Optional<URI> ca = directory == null ? Optional.empty() : Optional.of(ca());
        if (!issuer.matches("[a-z0-9][a-z0-9-]{0,62}")) {
            throw new Failed(
                    ExitCode.USAGE,
                    "--issuer: " + issuer + " (expected: 1–63 lower-case letters, digits and '-')");
        }
        if (!Files.isReadable(from)) {
            throw new Failed(ExitCode.NO_INPUT, from + " cannot be read");
        }
        Takeover.Result result = take(ca);
        switch (output) {
            case TEXT -> print(result, surroundings.out());
            case JSON ->
                    surroundings
                            .out()
                            .println(
                                    Json.write(
                                            Map.of(
                                                    "taken",
                                                    result.taken(),
                                                    "findings",
                                                    result.findings().stream()
                                                            .map(FindingView::of)
                                                            .toList())));
        }
        return (result.findings().isEmpty() ? ExitCode.OK : ExitCode.UNUSABLE).number();
    }

    private Takeover.Result take(Optional<URI> ca) throws Failed {
        try (DirectoryStore store = DirectoryStore.open(state)) {
            return Takeover.of(from, store, issuer, ca, surroundings.time().instant())
                    .orElseThrow(() ->
                            new Failed(
                                    ExitCode.NO_INPUT,
                                    from
                                            + " is neither an acme.json of Traefik 2 or 3 nor a folder with"
                                            + " certificates/ or acme/ in it, as certmagic and Caddy keep"));
        } catch (UnusableStateFolder unusable) {
            throw new Failed(
                    ExitCode.UNAVAILABLE, unusable.getMessage() + "\n  " + unusable.advice());
        } catch (IOException failed) {
            throw new Failed(
                    ExitCode.UNAVAILABLE,
                    from
                            + " cannot be taken over to the end: "
                            + FileFault.at(failed)
                            + "\n  What was taken over stays; mend that, and import again.");
        }
    }

    private URI ca() throws Failed {
        String written = String.valueOf(directory);
        Optional<URI> known = KnownDirectory.ofWord(written).map(KnownDirectory::url);
        if (known.isPresent()) {
            return known.get();
        }
        try {
            URI url = URI.create(written);
            if (Origin.of(url).isPresent()) {
                return url;
            }
        } catch (IllegalArgumentException notAUrl) {
            // Said below.
        }
        throw new Failed(
                ExitCode.USAGE,
                "--acme-directory: " + written + " (expected: an HTTPS URL, or letsencrypt)");
    }

    private static void print(Takeover.Result result, PrintWriter out) {
        var table = new Table("HOST", "EXPIRES", "WHAT", "ENTRY");
        for (Taken taken : result.taken()) {
            table.row(
                    taken.host().isEmpty() ? "(account)" : taken.host(),
                    taken.notAfter().map(Object::toString).orElse("-"),
                    switch (taken.what()) {
                        case IMPORTED -> "imported";
                        case KEPT -> "stays as it is";
                        case EXPIRED -> "expired: left out";
                    },
                    taken.entry());
        }
        table.print(out);
        for (Finding finding : result.findings()) {
            out.println(
                    PlainText.of(
                            finding.severity().name().toLowerCase(Locale.ROOT)
                                    + ": "
                                    + finding.object()
                                    + ": "
                                    + finding.message()
                                    + " ["
                                    + finding.reason().camelCase()
                                    + "]"));
            out.println("    " + finding.advice());
        }
        List<Taken> imported =
                result.taken().stream().filter(it -> it.what() == What.IMPORTED).toList();
        long accounts = imported.stream().filter(it -> it.host().isEmpty()).count();
        out.println();
        out.println(
                (imported.size() - accounts)
                        + " certificates and "
                        + accounts
                        + " accounts imported, "
                        + (result.taken().size() - imported.size())
                        + " left as they are, "
                        + result.findings().size()
                        + " could not be used");
    }
}
