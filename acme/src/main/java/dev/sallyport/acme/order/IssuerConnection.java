package dev.sallyport.acme.order;

import java.net.URL;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.DefaultConnection;
import org.shredzone.acme4j.connector.HttpConnector;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.toolbox.JSONBuilder;

/**
 * acme4j's connection, which tells what is gone from what failed: CAs say so by the status, with a
 * problem document of whatever type, or with none.
 */
final class IssuerConnection extends DefaultConnection {
    /** These mean what they say, whatever the status. */
    private static final Set<String> CLEAR =
            Set.of(
                    "accountDoesNotExist",
                    "badNonce",
                    "externalAccountRequired",
                    "rateLimited",
                    "userActionRequired");

    IssuerConnection(HttpConnector connector) {
        super(connector);
    }

    @Override
    protected int sendSignedRequest(
            URL url,
            @Nullable JSONBuilder claims,
            Session session,
            KeyPair keypair,
            @Nullable URL account,
            String accept)
            throws AcmeException {
        try {
            return super.sendSignedRequest(url, claims, session, keypair, account, accept);
        } catch (AcmeException | AcmeProtocolException failed) {
            boolean clear =
                    failed instanceof AcmeServerException server
                            && CLEAR.contains(Causes.type(server.getProblem()));
            if (isGone() && !clear) {
                throw new GoneException(
                        url.getPath() + ": the CA does not know it: " + failed.getMessage(),
                        failed);
            }
            throw failed;
        }
    }

    private boolean isGone() {
        @Nullable HttpResponse<?> answer = lastResponse;
        return answer != null && (answer.statusCode() == 404 || answer.statusCode() == 410);
    }
}
