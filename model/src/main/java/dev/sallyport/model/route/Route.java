package dev.sallyport.model.route;

import dev.sallyport.model.name.ObjectRef;
import java.time.Instant;
import java.util.Comparator;

/**
 * One rule for one host.
 *
 * @param path what the request's path must look like
 * @param action what it is answered with
 * @param origin the object it was written in
 * @param created when that object was created: of two routes for the same host and path the older
 *     one wins
 */
public record Route(PathMatch path, RouteAction action, ObjectRef origin, Instant created) {

    /**
     * Which of two routes is tried first, and which of two equal ones wins: path, age, namespace
     * and name.
     */
    public static final Comparator<Route> PRECEDENCE =
            Comparator.comparing(Route::path, PathMatch.PRECEDENCE)
                    .thenComparing(Route::created)
                    .thenComparing(Route::origin, ObjectRef.ORDER);

    private static final String CHALLENGES = "/.well-known/acme-challenge";

    /**
     * Whether this route answers ACME HTTP-01 validations (RFC 8555 section 8.3), so that the
     * redirect to HTTPS must leave it alone: the CA asks by plain HTTP.
     */
    public boolean answersChallenges() {
        String text = path.path();
        return text.startsWith(CHALLENGES)
                && (text.length() == CHALLENGES.length()
                        || text.charAt(CHALLENGES.length()) == '/');
    }
}
