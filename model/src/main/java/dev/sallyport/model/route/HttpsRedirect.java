package dev.sallyport.model.route;

/**
 * The redirect of plain HTTP requests to HTTPS.
 *
 * @param status 301, 302, 303, 307 or 308
 * @param port the port that clients reach HTTPS on; 443 is left out of the location
 */
public record HttpsRedirect(int status, int port) {
    public HttpsRedirect {
        if (!(status == 301 || status == 302 || status == 303 || status == 307 || status == 308)) {
            throw new IllegalArgumentException(
                    "status: " + status + " (expected: 301, 302, 303, 307 or 308)");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 1–65535)");
        }
    }
}
