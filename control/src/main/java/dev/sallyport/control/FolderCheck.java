package dev.sallyport.control;

import dev.sallyport.control.reconcile.CatalogSource;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateReader;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;

/** Reads and translates a folder once, without serving anything. */
public final class FolderCheck {
    private FolderCheck() {}

    /**
     * Every finding that serving {@code dir} would have. Blocks; any thread.
     *
     * @param dir a folder of manifests
     * @param time for the validity of certificates
     */
    public static CheckResult check(Path dir, ControlSettings settings, InstantSource time) {
        SourceUpdate read = FolderSource.read(dir, settings.folder());
        var catalog = new CertificateCatalog(CertificateReader.PEM, ParserThreads.executor(), time);
        var translator =
                new IncrementalTranslator(settings.translation(), new CatalogSource(catalog));
        Map<String, Integer> objects = new TreeMap<>();
        for (ResourceChange change : read.changes()) {
            objects.merge(change.ref().kind(), 1, Integer::sum);
            if (change.now().orElse(null) instanceof Resource.OfSecret secret) {
                catalog.put(secret.material());
            }
            translator.accept(change);
        }
        read.findings().forEach(translator::report);
        return new CheckResult(translator.translate().findings().sorted(), objects);
    }
}
