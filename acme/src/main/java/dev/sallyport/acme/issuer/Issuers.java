package dev.sallyport.acme.issuer;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The configured issuers, the one to be asked first in front.
 *
 * @param ordered at least one; no two of one name
 */
public record Issuers(List<Issuer> ordered) {
    public Issuers {
        ordered = List.copyOf(ordered);
        Set<String> names = ordered.stream().map(Issuer::name).collect(Collectors.toSet());
        if (ordered.isEmpty() || names.size() < ordered.size()) {
            throw new IllegalArgumentException(
                    "issuers: " + names + " (expected: at least one, with names of their own)");
        }
    }

    /**
     * Checks a list that somebody wrote.
     *
     * @param origin where it was written
     */
    public static Parsed<Issuers> parse(ObjectRef origin, List<IssuerDraft> drafts) {
        List<Issuer> issuers = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (IssuerDraft draft : drafts) {
            switch (Issuer.parse(origin, draft)) {
                case Parsed.Usable<Issuer> usable -> {
                    issuers.add(usable.value());
                    findings.addAll(usable.findings());
                }
                case Parsed.Rejected<Issuer> rejected -> findings.addAll(rejected.findings());
            }
            if (!names.add(draft.name())) {
                findings.add(
                        invalid(
                                origin,
                                "issuer " + draft.name() + ": named twice",
                                "Give each issuer a name of its own."));
            }
        }
        if (drafts.isEmpty()) {
            findings.add(
                    invalid(
                            origin,
                            "issuers: none (expected: at least one)",
                            "Name a directory, for instance letsencrypt-staging."));
        }
        return findings.isEmpty()
                ? Parsed.usable(new Issuers(issuers))
                : new Parsed.Rejected<>(findings);
    }

    private static Finding invalid(ObjectRef origin, String message, String advice) {
        return Finding.of(Reason.ISSUER_INVALID, origin, message, advice);
    }

    /** Their names, in their order. */
    public List<String> names() {
        return ordered.stream().map(Issuer::name).toList();
    }

    /** The issuer of a name. */
    public Optional<Issuer> find(String name) {
        return ordered.stream().filter(issuer -> issuer.name().equals(name)).findFirst();
    }

    /**
     * Which issuers an annotation's value means: all in their order for {@code true}, else the one
     * of that name.
     *
     * @param origin the object with the annotation
     */
    public Parsed<List<Issuer>> chosen(ObjectRef origin, String value) {
        if (value.equals("true")) {
            return Parsed.usable(ordered);
        }
        return find(value)
                .map(issuer -> Parsed.usable(List.of(issuer)))
                .orElseGet(() ->
                        Parsed.rejected(
                                Finding.of(
                                        Reason.ISSUER_UNKNOWN,
                                        origin,
                                        "issuer: "
                                                + value
                                                + " (expected: true, or one of "
                                                + String.join(", ", names())
                                                + ")",
                                        "Write true for the configured order of issuers.")));
    }
}
