package dev.sallyport.acme.issuer;

import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which namespace may have certificates ordered for which names, so that a tenant cannot make us
 * order what it does not own.
 *
 * @param grants in any order; what none of them grants is not allowed
 */
public record AllowList(List<Grant> grants) {
    /** Everything, for whoever serves one tenant only. */
    public static final AllowList EVERYTHING =
            new AllowList(List.of(new Grant(Optional.empty(), new Names.Any())));

    public AllowList {
        grants = List.copyOf(grants);
    }

    /**
     * Names for a namespace.
     *
     * @param namespace empty for every namespace
     */
    public record Grant(Optional<String> namespace, Names names) {}

    /** What is granted. */
    public sealed interface Names {
        /** Whether an identifier is among them. */
        boolean include(Identifier identifier);

        /** All of them. */
        record Any() implements Names {
            @Override
            public boolean include(Identifier identifier) {
                return true;
            }
        }

        /** One name or address; for a wildcard the wildcard itself and what it covers. */
        record One(Identifier granted) implements Names {
            @Override
            public boolean include(Identifier identifier) {
                if (granted instanceof Identifier.Dns grant
                        && identifier instanceof Identifier.Dns asked) {
                    return grant.name().covers(asked.name());
                }
                return granted.equals(identifier);
            }
        }

        /** Everything below a name, at any depth, and not the name itself. */
        record Below(Hostname.Exact parent) implements Names {
            @Override
            public boolean include(Identifier identifier) {
                return identifier instanceof Identifier.Dns asked
                        && asked.text().endsWith("." + parent.text());
            }
        }
    }

    /**
     * Checks grants that somebody wrote.
     *
     * @param origin where they were written
     * @param written each {@code namespace=name}: the namespace {@code *} for every one, the name a
     *     host, {@code *.host} (one label below), {@code **.host} (any depth below), an address, or
     *     {@code *}
     */
    public static Parsed<AllowList> parse(ObjectRef origin, List<String> written) {
        List<Grant> grants = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        for (String text : written) {
            int equals = text.indexOf('=');
            String namespace = equals < 0 ? "" : text.substring(0, equals).strip();
            Optional<Names> names =
                    equals < 0 ? Optional.empty() : names(text.substring(equals + 1).strip());
            if (namespace.isEmpty() || names.isEmpty()) {
                findings.add(
                        Finding.of(
                                Reason.ISSUER_INVALID,
                                origin,
                                "allow: "
                                        + text
                                        + " (expected: namespace=name, as shop=*.shop.example)",
                                "Write * for every namespace, **.host for all names below one."));
                continue;
            }
            grants.add(
                    new Grant(
                            namespace.equals("*") ? Optional.empty() : Optional.of(namespace),
                            names.get()));
        }
        return findings.isEmpty()
                ? Parsed.usable(new AllowList(grants))
                : new Parsed.Rejected<>(findings);
    }

    private static Optional<Names> names(String text) {
        if (text.equals("*")) {
            return Optional.of(new Names.Any());
        }
        try {
            return Optional.of(
                    text.startsWith("**.")
                            ? new Names.Below(new Hostname.Exact(plain(text.substring(3))))
                            : new Names.One(Identifier.parse(text)));
        } catch (IllegalArgumentException notAName) {
            return Optional.empty();
        }
    }

    private static String plain(String name) {
        return Hostname.parse(name).text(); // a wildcard's '*' is refused by who takes it
    }

    /** Whether a namespace may have a certificate ordered for an identifier. */
    public boolean allows(String namespace, Identifier identifier) {
        return grants.stream()
                .anyMatch(grant ->
                        grant.namespace().map(namespace::equals).orElse(true)
                                && grant.names().include(identifier));
    }

    /** What is said of an identifier that is not allowed. */
    public Finding refusal(ObjectRef object, Identifier identifier) {
        return Finding.of(
                Reason.HOST_NOT_ALLOWED,
                object,
                "host: "
                        + identifier.text()
                        + " (expected: one that the namespace "
                        + object.namespace()
                        + " may have certificates ordered for)",
                "Have the name granted to the namespace in the gateway's configuration, or bring a"
                        + " Secret.");
    }
}
