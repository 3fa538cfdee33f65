package dev.sallyport.acme;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.issuer.IssuerDraft;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.name.ObjectRef;

/** Issuers as tests write them. */
public final class TestIssuers {
    private TestIssuers() {}

    /** What a draft makes, which is not to be wrong. */
    public static Issuer usable(IssuerDraft draft) {
        return switch (Issuer.parse(ObjectRef.gateway("test"), draft)) {
            case Parsed.Usable<Issuer> usable -> usable.value();
            case Parsed.Rejected<Issuer> rejected -> throw new AssertionError(rejected.findings());
        };
    }
}
