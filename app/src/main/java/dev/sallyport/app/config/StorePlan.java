package dev.sallyport.app.config;

import dev.sallyport.control.stored.StoreKey;
import dev.sallyport.control.stored.StoreSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** From the configured last known good state to its settings, with the key that its file holds. */
final class StorePlan {
    private static final String KEY_FILE = "kubernetes.last-known-good.key-file";

    private StorePlan() {}

    /** The settings; empty where nothing is to be kept, or where a problem was added. */
    static Optional<StoreSettings> of(
            GatewayConfig config, List<Setting> settings, List<Problem> problems) {
        GatewayConfig.LastKnownGood wanted = config.kubernetes().lastKnownGood();
        if (wanted.file().isEmpty() || wanted.keyFile().isEmpty()) {
            return Optional.empty();
        }
        Path keyFile = wanted.keyFile().get();
        try {
            return Optional.of(
                    new StoreSettings(
                            wanted.file().get(),
                            StoreKey.read(keyFile),
                            wanted.interval(),
                            wanted.patience()));
        } catch (StoreKey.Unusable why) {
            problems.add(
                    new Problem(
                            Setting.source(settings, KEY_FILE),
                            KEY_FILE,
                            keyFile + ": " + why.getMessage()));
            return Optional.empty();
        }
    }
}
