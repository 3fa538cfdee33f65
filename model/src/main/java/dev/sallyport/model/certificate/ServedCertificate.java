package dev.sallyport.model.certificate;

import dev.sallyport.model.name.ObjectRef;
import java.time.Instant;

/**
 * A certificate in service.
 *
 * @param bundle chain and key
 * @param source the Secret it came from, or the gateway itself
 * @param since when this bundle was loaded
 * @param temporary whether it only stands in until the real one is there: no HSTS is sent with it
 */
public record ServedCertificate(
        CertificateBundle bundle, ObjectRef source, Instant since, boolean temporary) {}
