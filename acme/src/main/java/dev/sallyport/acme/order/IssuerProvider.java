package dev.sallyport.acme.order;

import dev.sallyport.acme.issuer.Issuer;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.Connection;
import org.shredzone.acme4j.connector.HttpConnector;
import org.shredzone.acme4j.connector.NetworkSettings;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.provider.AbstractAcmeProvider;
import org.shredzone.acme4j.toolbox.JSON;

/**
 * Has acme4j speak to one issuer through our client, and read its directory once an hour rather
 * than once a session. Safe from any thread.
 */
final class IssuerProvider extends AbstractAcmeProvider {
    private static final Duration DIRECTORY_LIFE = Duration.ofHours(1);

    private final Issuer issuer;
    private final GuardedHttpClient client;
    private final InstantSource clock;
    private @Nullable JSON directory;
    private Instant stale = Instant.MIN;

    IssuerProvider(Issuer issuer, GuardedHttpClient client, InstantSource clock) {
        this.issuer = issuer;
        this.client = client;
        this.clock = clock;
    }

    @Override
    public boolean accepts(URI serverUri) {
        return serverUri.equals(issuer.directory());
    }

    @Override
    public URL resolve(URI serverUri) {
        try {
            return serverUri.toURL();
        } catch (MalformedURLException notHttps) {
            throw new IllegalArgumentException(notHttps);
        }
    }

    @Override
    public synchronized @Nullable JSON directory(Session session, URI serverUri)
            throws AcmeException {
        if (directory == null || !clock.instant().isBefore(stale)) {
            directory = super.directory(session, serverUri);
            stale = clock.instant().plus(DIRECTORY_LIFE);
        }
        return directory;
    }

    @Override
    public Connection connect(URI serverUri, NetworkSettings settings, HttpClient unused) {
        return new IssuerConnection(createHttpConnector(settings, unused));
    }

    @Override
    protected HttpConnector createHttpConnector(NetworkSettings settings, HttpClient unused) {
        return new HttpConnector(settings, client);
    }
}
