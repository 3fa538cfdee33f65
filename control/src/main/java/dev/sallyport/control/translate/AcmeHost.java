package dev.sallyport.control.translate;

import dev.sallyport.acme.keep.Prospect;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.Hostname;
import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.Optional;

/**
 * A host that is to have a certificate by ACME, unless others serve it well.
 *
 * @param host exact, or a wildcard
 * @param issuers names of issuers, the one to be asked first in front; at least one
 * @param ingress the Ingress that asks for it: what is told of it is told there
 * @param others the certificates in service of Secrets that somebody else fills (a user,
 *     cert-manager) which cover the host and are not temporary, whether or not they are still
 *     valid; those of namespaces only that may have certificates for it
 * @param prospect whether somebody else may be about to serve it
 * @param lost whether a certificate of ours is in service whose Secret somebody deleted
 * @param refusal why none may be ordered, though hosts are to have one in general; empty where one
 *     may
 */
public record AcmeHost(
        Hostname host,
        List<String> issuers,
        ObjectRef ingress,
        List<ServedCertificate> others,
        Prospect prospect,
        boolean lost,
        Optional<Finding> refusal) {
    public AcmeHost {
        issuers = List.copyOf(issuers);
        others = List.copyOf(others);
    }

    AcmeHost with(Prospect another) {
        return new AcmeHost(host, issuers, ingress, others, another, lost, refusal);
    }
}
