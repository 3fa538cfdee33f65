package dev.sallyport.conformance;

import dev.sallyport.faults.ApiProxy;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Who a gateway is in a cluster: a service account with the rights that the gateway asks for and no
 * more, and an IngressClass that no other gateway serves, both named like a namespace.
 */
final class GatewayAccount implements AutoCloseable {

    private final Namespace namespace;
    private final Path kubeconfig;

    private GatewayAccount(Namespace namespace, Path kubeconfig) {
        this.namespace = namespace;
        this.kubeconfig = kubeconfig;
    }

    /**
     * Made in a namespace, which must stay as long as it does. Its kubeconfig is written into a
     * folder.
     */
    static GatewayAccount in(Namespace namespace, Path work) {
        namespace
                .kubectl()
                .apply(
                        String.format(
                                Locale.ROOT,
                                """
                                apiVersion: v1
                                kind: ServiceAccount
                                metadata: {name: gateway}
                                ---
                                apiVersion: networking.k8s.io/v1
                                kind: IngressClass
                                metadata: {name: %1$s}
                                spec: {controller: sallyport.dev/ingress-controller}
                                ---
                                apiVersion: rbac.authorization.k8s.io/v1
                                kind: ClusterRole
                                metadata: {name: %1$s}
                                rules:
                                  - {apiGroups: [""], resources: [namespaces, services], verbs: [list, watch]}
                                  - {apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}
                                  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
                                  - {apiGroups: [networking.k8s.io], resources: [ingresses, ingressclasses], verbs: [list, watch]}
                                  - {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [patch]}
                                  - {apiGroups: [events.k8s.io], resources: [events], verbs: [create, get, patch]}
                                ---
                                apiVersion: rbac.authorization.k8s.io/v1
                                kind: ClusterRoleBinding
                                metadata: {name: %1$s}
                                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %1$s}
                                subjects: [{kind: ServiceAccount, name: gateway, namespace: %1$s}]
                                ---
                                apiVersion: rbac.authorization.k8s.io/v1
                                kind: Role
                                metadata: {name: gateway}
                                rules:
                                  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create, get, update]}
                                ---
                                apiVersion: rbac.authorization.k8s.io/v1
                                kind: RoleBinding
                                metadata: {name: gateway}
                                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gateway}
                                subjects: [{kind: ServiceAccount, name: gateway}]
                                """,
                                namespace.name()));
        return new GatewayAccount(
                namespace, namespace.kubeconfigOf("gateway", work.resolve("gateway.conf")));
    }

    /** The class of the Ingresses that its gateways serve. */
    String ingressClass() {
        return namespace.name();
    }

    /** An Ingress of that class. */
    Manifests.Ingress classed(Manifests.Ingress ingress) {
        return ingress.spec("  ingressClassName: " + ingressClass() + "\n");
    }

    /** Makes its class the cluster's default one, as long as it is there. */
    void makeDefaultClass() {
        namespace
                .kubectl()
                .patch(
                        "ingressclass/" + ingressClass(),
                        """
                        {"metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}}
                        """);
    }

    /** Its rights. */
    Path kubeconfig() {
        return kubeconfig;
    }

    /** A gateway of this account, see {@link Gateway#on}. */
    Gateway.Starter gateway(Cluster cluster, Path work, Pki pki) {
        return gateway(cluster, work, pki, kubeconfig);
    }

    /** A proxy between the test bed's API server and gateways of this account. */
    ApiProxy proxy(Cluster cluster) {
        return Kubeconfig.read(kubeconfig).proxy(cluster.bed().host());
    }

    /** A gateway of this account that reaches the API server through a proxy only. */
    Gateway.Starter gateway(Cluster cluster, Path work, Pki pki, ApiProxy proxy) {
        Path through =
                Kubeconfig.read(kubeconfig).through(proxy, work.resolve("gateway-proxy.conf"));
        return gateway(cluster, work, pki, through);
    }

    private Gateway.Starter gateway(Cluster cluster, Path work, Pki pki, Path rights) {
        return Gateway.on(cluster, work, pki, rights).flags("--ingress-class", ingressClass());
    }

    /** Deletes what is not in the namespace. */
    @Override
    public void close() {
        namespace
                .kubectl()
                .ok(
                        "delete",
                        "--wait=false",
                        "ingressclass/" + namespace.name(),
                        "clusterrole/" + namespace.name(),
                        "clusterrolebinding/" + namespace.name());
    }
}
