package dev.sallyport.control.cluster;

import io.fabric8.kubernetes.client.OAuthTokenProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A service account's token, read for each request: the kubelet replaces it long before it expires.
 * While the file cannot be read the last token is used.
 */
final class TokenFile implements OAuthTokenProvider {
    private final Path file;
    private volatile @Nullable String last;

    TokenFile(Path file) {
        this.file = file;
    }

    @Override
    public @Nullable String getToken() {
        try {
            String now = Files.readString(file).strip();
            if (!now.isEmpty()) {
                last = now;
            }
        } catch (IOException unreadable) {
            return last; // it is being replaced, or gone: the API server judges the last one
        }
        return last;
    }
}
