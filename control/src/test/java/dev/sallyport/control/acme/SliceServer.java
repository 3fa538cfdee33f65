package dev.sallyport.control.acme;

import dev.sallyport.faults.ApiProxy;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceListBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import javax.net.ssl.SSLContext;

/** An API server that lists the EndpointSlices which a test tells it of, or refuses to. */
final class SliceServer implements AutoCloseable {
    private final ApiProxy proxy;
    private final KubernetesClient client;

    SliceServer() throws NoSuchAlgorithmException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        // Nobody is behind it: it answers everything itself.
        proxy =
                ApiProxy.before(
                        new InetSocketAddress(loopback, 9), SSLContext.getDefault(), loopback);
        client =
                new KubernetesClientBuilder()
                        .withConfig(
                                new ConfigBuilder(Config.empty())
                                        .withMasterUrl(proxy.url())
                                        .withRequestRetryBackoffLimit(0)
                                        .build())
                        .build();
        lists();
    }

    KubernetesClient client() {
        return client;
    }

    /** What it was asked, in order: method and target. */
    List<String> asked() {
        return proxy.requests().stream()
                .map(request -> request.method() + " " + request.target())
                .toList();
    }

    void lists(EndpointSlice... all) {
        answer("200 OK", new EndpointSliceListBuilder().withItems(all).build());
    }

    void refuses(int code) {
        answer(
                code + " Refused",
                new StatusBuilder().withCode(code).withStatus("Failure").withMessage("no").build());
    }

    private void answer(String status, KubernetesResource body) {
        proxy.pass();
        proxy.answer(_ -> true, status, "", Serialization.asJson(body));
    }

    @Override
    public void close() {
        client.close();
        proxy.close();
    }
}
