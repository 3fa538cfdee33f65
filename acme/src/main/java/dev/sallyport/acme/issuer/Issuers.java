package dev.sallyport.acme.issuer;

import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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

    /** The issuer of a name, if it is still the one of that directory: else it is another CA. */
    public Optional<Issuer> find(String name, URI directory) {
        return find(name).filter(issuer -> issuer.directory().equals(directory));
    }

    /** By the name of each issuer that of the first one of the same CA: accounts differ. */
    public Map<String, String> firstOfSameCa() {
        Map<URI, String> first = new HashMap<>();
        ordered.forEach(issuer -> first.putIfAbsent(issuer.directory(), issuer.name()));
        return ordered.stream()
                .collect(
                        Collectors.toUnmodifiableMap(
                                Issuer::name,
                                issuer -> first.getOrDefault(issuer.directory(), issuer.name())));
    }
}
