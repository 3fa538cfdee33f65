package dev.sallyport.control;

import dev.sallyport.control.reconcile.HoldOff;
import dev.sallyport.control.source.FolderSettings;
import dev.sallyport.control.translate.TranslationSettings;
import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.certificate.KeyProof;
import dev.sallyport.model.listener.Listener;
import java.util.List;
import java.util.Optional;

/**
 * Everything the control side is configured with.
 *
 * @param translation what objects come to mean
 * @param folder how a folder is read
 * @param holdOff how bursts of changes are put together
 * @param proof that the keys in Secrets belong to their certificates
 */
public record ControlSettings(
        TranslationSettings translation, FolderSettings folder, HoldOff holdOff, KeyProof proof) {

    /** The defaults for a folder. */
    public static ControlSettings forFolder(
            List<Listener> listeners, Optional<CertificateSet> fallbackCertificate) {
        return new ControlSettings(
                TranslationSettings.forFolder(listeners, fallbackCertificate),
                FolderSettings.DEFAULT,
                HoldOff.DEFAULT,
                KeyProof.BY_SIGNATURE);
    }

    /** The defaults for a cluster. */
    public static ControlSettings forCluster(
            List<Listener> listeners, Optional<CertificateSet> fallbackCertificate) {
        return new ControlSettings(
                TranslationSettings.forCluster(listeners, fallbackCertificate),
                FolderSettings.DEFAULT,
                HoldOff.DEFAULT,
                KeyProof.BY_SIGNATURE);
    }

    /** The same with another proof. */
    public ControlSettings provenBy(KeyProof other) {
        return new ControlSettings(translation, folder, holdOff, other);
    }
}
