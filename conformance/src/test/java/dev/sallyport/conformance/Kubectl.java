package dev.sallyport.conformance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The kubectl command with a kubeconfig, in one namespace.
 *
 * @param program the command and what comes before its arguments
 * @param kubeconfig who asks, and where
 * @param namespace the namespace that names are meant in
 */
record Kubectl(List<String> program, Path kubeconfig, String namespace) {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration LIMIT = Duration.ofMinutes(2);

    Kubectl {
        program = List.copyOf(program);
    }

    /** The same in another namespace. */
    Kubectl in(String other) {
        return new Kubectl(program, kubeconfig, other);
    }

    /** The same as somebody else. */
    Kubectl as(Path other) {
        return new Kubectl(program, other, namespace);
    }

    /** Runs it, however it ends. */
    Ran run(String... arguments) {
        return feed("", arguments);
    }

    private Ran feed(String input, String... arguments) {
        return Ran.run(input, LIMIT, command(arguments));
    }

    /** The words that start it, for a process that goes on. */
    List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of("--kubeconfig", kubeconfig.toString(), "--namespace", namespace));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Runs it to a good end. */
    String ok(String... arguments) {
        return ok(run(arguments));
    }

    private static String ok(Ran ran) {
        if (ran.exit() != 0) {
            throw new AssertionError(String.join(" ", ran.command()) + ": " + ran.all());
        }
        return ran.out();
    }

    /** Makes objects what these documents say. */
    Kubectl apply(String... documents) {
        ok(feed(Manifests.file(documents), "apply", "--filename", "-"));
        return this;
    }

    /** Makes objects that must not be there yet. */
    Kubectl create(String... documents) {
        ok(feed(Manifests.file(documents), "create", "--filename", "-"));
        return this;
    }

    /** Deletes an object, {@code kind/name}, and waits until it is gone. */
    Kubectl delete(String object) {
        ok("delete", object, "--wait=true");
        return this;
    }

    /** An object, {@code kind/name}, or a list of all of a kind. */
    JsonNode get(String object) {
        return JSON.readTree(ok("get", object, "--output", "json"));
    }

    /** An object, if it is there. */
    Optional<JsonNode> find(String object) {
        String found = ok("get", object, "--ignore-not-found", "--output", "json");
        return found.isBlank() ? Optional.empty() : Optional.of(JSON.readTree(found));
    }

    /** Changes an object by a JSON merge patch. */
    Kubectl patch(String object, String merge) {
        ok("patch", object, "--type", "merge", "--patch", merge);
        return this;
    }

    /** Waits for a condition of an object, {@code kind/name}; what it is instead is told. */
    Kubectl await(String object, String condition, Duration limit) {
        List<String> words =
                List.of(
                        "wait",
                        "--for=condition=" + condition,
                        "--timeout=" + limit.toSeconds() + "s",
                        object);
        Ran ran = Ran.run("", limit.plusSeconds(30), command(words.toArray(String[]::new)));
        if (ran.exit() != 0) {
            throw new AssertionError(
                    object
                            + " is not "
                            + condition
                            + ": "
                            + ran.all()
                            + run("describe", object).out());
        }
        return this;
    }

    /** Waits until the Pods of a Deployment are the newest and ready. */
    Kubectl awaitRollout(String deployment, Duration limit) {
        Ran ran =
                Ran.run(
                        "",
                        limit.plusSeconds(30),
                        command(
                                "rollout",
                                "status",
                                "deployment/" + deployment,
                                "--timeout=" + limit.toSeconds() + "s"));
        if (ran.exit() != 0) {
            throw new AssertionError(ran.all() + run("describe", "pods").out());
        }
        return this;
    }
}
