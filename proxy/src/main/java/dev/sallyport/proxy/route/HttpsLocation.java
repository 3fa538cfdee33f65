package dev.sallyport.proxy.route;

import dev.sallyport.model.route.HttpsRedirect;

/** Where a plain request is sent to. */
public final class HttpsLocation {
    private HttpsLocation() {}

    /**
     * The same resource by HTTPS.
     *
     * @param host normalised, not empty
     * @param target path and query to the letter
     */
    public static String of(HttpsRedirect redirect, String host, String target) {
        String path = target.equals("*") ? "/" : target;
        return redirect.port() == 443
                ? "https://" + host + path
                : "https://" + host + ":" + redirect.port() + path;
    }
}
