package dev.sallyport.app.wire;

import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.ServedCertificate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.snapshot.Applied;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.model.snapshot.GatewaySnapshot;
import dev.sallyport.tls.context.CredentialStore;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A data plane that serves nothing: it has the native library take every certificate, as serving
 * would, and says which it does not.
 */
public final class Proof implements DataPlane, AutoCloseable {
    private final CredentialStore store = new CredentialStore(0);

    /**
     * @throws dev.sallyport.tls.context.NativeTlsUnavailable where the native library is missing
     */
    public Proof() {}

    @Override
    public Applied apply(GatewaySnapshot snapshot) {
        List<Finding> findings = new ArrayList<>();
        Set<CertificateBundle> seen = new HashSet<>();
        snapshot.certificates().hosts().forEach((_, set) -> prove(set, seen, findings));
        snapshot.certificates().fallback().ifPresent(set -> prove(set, seen, findings));
        findings.sort(Finding.ORDER);
        return Applied.whole(snapshot, findings);
    }

    @Override
    public void close() {
        store.close();
    }

    private void prove(CertificateSet set, Set<CertificateBundle> seen, List<Finding> findings) {
        for (ServedCertificate certificate : set.certificates()) {
            if (seen.add(certificate.bundle())) {
                store.refusal(certificate).ifPresent(findings::add);
            }
        }
    }
}
