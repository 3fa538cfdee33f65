package dev.sallyport.control;

import dev.sallyport.control.reconcile.CatalogSource;
import dev.sallyport.control.reconcile.ParserThreads;
import dev.sallyport.control.resource.Resource;
import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.control.source.FolderSource;
import dev.sallyport.control.translate.IncrementalTranslator;
import dev.sallyport.control.translate.Translation;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.snapshot.DataPlane;
import dev.sallyport.secretsync.CertificateCatalog;
import dev.sallyport.secretsync.CertificateReader;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;

/** Reads and translates a folder once, without serving anything. */
public final class FolderCheck {
    private FolderCheck() {}

    /**
     * Every finding that serving {@code dir} would begin with, but for those of ports, which only
     * binding them can have. Blocks; any thread.
     *
     * @param dir a folder of manifests
     * @param dataPlane says what it could not put in service; is given one snapshot
     * @param time for the validity of certificates
     */
    public static CheckResult check(
            Path dir, ControlSettings settings, DataPlane dataPlane, InstantSource time) {
        Executor parsers = ParserThreads.executor();
        SourceUpdate read = FolderSource.read(dir, settings.folder(), parsers);
        var catalog =
                new CertificateCatalog(CertificateReader.provenBy(settings.proof()), parsers, time);
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
        Translation translation = translator.translate();
        List<Finding> refused = dataPlane.apply(translation.snapshot(1)).findings();
        return new CheckResult(translation.findings().sortedWith(refused), objects);
    }
}
