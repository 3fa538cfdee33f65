package dev.sallyport.control.cluster;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * What a list and the watch that follows it have in common.
 *
 * @param path for instance {@code /api/v1/namespaces/shop/secrets}
 * @param fieldSelector for instance {@code metadata.name=shop-tls}; may be empty
 */
record WatchedPath(String path, String fieldSelector) {

    /** What a request asks for. */
    static WatchedPath of(URI uri) {
        String selector = "";
        String query = uri.getRawQuery();
        if (query != null) {
            for (String parameter : query.split("&", -1)) {
                if (parameter.startsWith("fieldSelector=")) {
                    selector =
                            URLDecoder.decode(
                                    parameter.substring("fieldSelector=".length()),
                                    StandardCharsets.UTF_8);
                }
            }
        }
        return new WatchedPath(uri.getPath(), selector);
    }
}
