package dev.sallyport.control.cluster;

import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.InetAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Hands the Kubernetes client the JDK's HTTP client in our dress, and closes it in the end. */
final class WatchedHttpClientFactory extends JdkHttpClientFactory implements AutoCloseable {
    private final Executor executor;
    private final UnaryOperator<HttpClient> dress;
    private final List<HttpClient> made = new CopyOnWriteArrayList<>();

    /**
     * @param executor runs what the client does when bytes come
     * @param dress the client that is used instead of the JDK's
     */
    WatchedHttpClientFactory(Executor executor, UnaryOperator<HttpClient> dress) {
        this.executor = executor;
        this.dress = dress;
    }

    @Override
    protected HttpClient.Builder createNewHttpClientBuilder() {
        return new DressingBuilder(HttpClient.newBuilder().executor(executor));
    }

    /** Ends all connections at once. */
    @Override
    public void close() {
        made.forEach(HttpClient::shutdownNow);
    }

    private final class DressingBuilder implements HttpClient.Builder {
        private final HttpClient.Builder builder;

        DressingBuilder(HttpClient.Builder builder) {
            this.builder = builder;
        }

        @Override
        public HttpClient build() {
            HttpClient client = builder.build();
            made.add(client);
            return dress.apply(client);
        }

        @Override
        public HttpClient.Builder cookieHandler(CookieHandler cookieHandler) {
            builder.cookieHandler(cookieHandler);
            return this;
        }

        @Override
        public HttpClient.Builder connectTimeout(Duration duration) {
            builder.connectTimeout(duration);
            return this;
        }

        @Override
        public HttpClient.Builder sslContext(SSLContext sslContext) {
            builder.sslContext(sslContext);
            return this;
        }

        @Override
        public HttpClient.Builder sslParameters(SSLParameters sslParameters) {
            builder.sslParameters(sslParameters);
            return this;
        }

        @Override
        public HttpClient.Builder executor(Executor other) {
            builder.executor(other);
            return this;
        }

        @Override
        public HttpClient.Builder followRedirects(HttpClient.Redirect policy) {
            builder.followRedirects(policy);
            return this;
        }

        @Override
        public HttpClient.Builder version(HttpClient.Version version) {
            builder.version(version);
            return this;
        }

        @Override
        public HttpClient.Builder priority(int priority) {
            builder.priority(priority);
            return this;
        }

        @Override
        public HttpClient.Builder proxy(ProxySelector proxySelector) {
            builder.proxy(proxySelector);
            return this;
        }

        @Override
        public HttpClient.Builder authenticator(Authenticator authenticator) {
            builder.authenticator(authenticator);
            return this;
        }

        @Override
        public HttpClient.Builder localAddress(InetAddress localAddress) {
            builder.localAddress(localAddress);
            return this;
        }
    }
}
