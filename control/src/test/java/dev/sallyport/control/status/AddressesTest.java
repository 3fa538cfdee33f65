package dev.sallyport.control.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.resource.LoadBalancerAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

class AddressesTest {
    @Test
    void aLoadBalancersAddressesAreTheServices() {
        var service =
                new ServiceBuilder()
                        .withNewSpec()
                        .withType("LoadBalancer")
                        .withClusterIPs("10.96.0.7")
                        .withExternalIPs("198.51.100.9", "192.0.2.1")
                        .endSpec()
                        .withNewStatus()
                        .withNewLoadBalancer()
                        .addNewIngress()
                        .withIp("192.0.2.1")
                        .endIngress()
                        .addNewIngress()
                        .withHostname("lb.example.com")
                        .endIngress()
                        .endLoadBalancer()
                        .endStatus()
                        .build();
        assertThat(texts(ServiceAddresses.of(service)))
                .containsExactly("192.0.2.1", "lb.example.com", "198.51.100.9");
    }

    @Test
    void aLoadBalancerThatIsStillToComeHasNoAddress() {
        var service =
                new ServiceBuilder()
                        .withNewSpec()
                        .withType("LoadBalancer")
                        .withClusterIPs("10.96.0.7")
                        .endSpec()
                        .build();
        assertThat(ServiceAddresses.of(service)).isEmpty();
    }

    @Test
    void withoutALoadBalancerTheServicesOwnAddressesCount() {
        var plain =
                new ServiceBuilder()
                        .withNewSpec()
                        .withType("ClusterIP")
                        .withClusterIPs("10.96.0.7", "fd00::7")
                        .endSpec()
                        .build();
        assertThat(texts(ServiceAddresses.of(plain))).containsExactly("10.96.0.7", "fd00::7");
        var external =
                new ServiceBuilder()
                        .withNewSpec()
                        .withType("NodePort")
                        .withClusterIPs("10.96.0.7")
                        .withExternalIPs("198.51.100.9")
                        .endSpec()
                        .build();
        assertThat(texts(ServiceAddresses.of(external))).containsExactly("198.51.100.9");
        var headless = new ServiceBuilder().withNewSpec().withClusterIPs("None").endSpec().build();
        assertThat(ServiceAddresses.of(headless)).isEmpty();
        var named =
                new ServiceBuilder()
                        .withNewSpec()
                        .withType("ExternalName")
                        .withExternalName("edge.example.com")
                        .endSpec()
                        .build();
        assertThat(ServiceAddresses.of(named))
                .isEqualTo(List.of(new LoadBalancerAddress.Name("edge.example.com")));
    }

    @Test
    void aNodesExternalAddressesCountBeforeItsInternalOnes() {
        var node =
                new NodeBuilder()
                        .withNewStatus()
                        .addNewAddress("10.0.0.3", "InternalIP")
                        .addNewAddress("node-3", "Hostname")
                        .endStatus()
                        .build();
        assertThat(texts(NodeAddresses.of(node))).containsExactly("10.0.0.3");
        var both =
                new NodeBuilder(node)
                        .editStatus()
                        .addNewAddress("198.51.100.3", "ExternalIP")
                        .endStatus()
                        .build();
        assertThat(texts(NodeAddresses.of(both))).containsExactly("198.51.100.3");
        assertThat(NodeAddresses.of(new NodeBuilder().build())).isEmpty();
    }

    private static List<String> texts(List<LoadBalancerAddress> addresses) {
        return addresses.stream().map(LoadBalancerAddress::text).toList();
    }
}
