package dev.sallyport.control.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sallyport.model.certificate.CertificateSet;
import dev.sallyport.model.route.PathMatch;
import dev.sallyport.model.route.Route;
import dev.sallyport.model.route.RouteAction;
import dev.sallyport.model.route.VirtualHost;
import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.upstream.Endpoint;
import java.util.ArrayList;
import java.util.List;

/** What must hold for every translation, whatever the objects. */
public final class SnapshotInvariants {
    private SnapshotInvariants() {}

    /** Throws an AssertionError where one does not hold. */
    public static void check(Translation translation) {
        translation.routes().hosts().forEach((_, host) -> checkRoutes(translation, host));
        checkRoutes(translation, translation.routes().anyHost());
        translation
                .routes()
                .challenges()
                .forEach((challenge, route) -> {
                    assertThat(route.path()).isEqualTo(new PathMatch.Exact(challenge.path()));
                    assertThat(route.answersChallenges()).isTrue();
                    checkRoute(translation, route);
                });
        translation.routes().fallback().ifPresent(route -> checkRoute(translation, route));
        translation
                .upstreams()
                .forEach((key, upstream) -> {
                    assertThat(upstream.key()).isEqualTo(key);
                    assertThat(upstream.endpoints()).isSortedAccordingTo(Endpoint.ORDER);
                    assertThat(upstream.endpoints()).doesNotHaveDuplicates();
                    assertUnmodifiable(upstream.endpoints());
                });
        translation.certificates().hosts().forEach((_, set) -> checkCertificates(set));
        translation.certificates().fallback().ifPresent(SnapshotInvariants::checkCertificates);
        assertThat(translation.findings().sorted()).isSortedAccordingTo(FindingIndex.ORDER);
        assertThat(translation.findings().sorted())
                .allSatisfy(finding -> {
                    assertThat(finding.message()).isNotBlank().doesNotContain("\n");
                    assertThat(finding.object().name()).isNotBlank();
                });
    }

    private static void checkRoutes(Translation translation, VirtualHost host) {
        assertThat(host.routes()).isSortedAccordingTo(Route.PRECEDENCE);
        assertThat(host.routes()).extracting(Route::path).doesNotHaveDuplicates();
        assertUnmodifiable(host.routes());
        host.routes().forEach(route -> checkRoute(translation, route));
        host.fallback().ifPresent(route -> checkRoute(translation, route));
    }

    private static void checkRoute(Translation translation, Route route) {
        switch (route.action()) {
            case RouteAction.KeyAuthorization _ -> {}
            case RouteAction.Forward(List<WeightedBackend> backends) ->
                    assertThat(backends)
                            .allSatisfy(backend ->
                                    assertThat(translation.upstreams().get(backend.upstream()))
                                            .as("upstream %s", backend.upstream())
                                            .isNotNull());
        }
    }

    private static void checkCertificates(CertificateSet set) {
        assertThat(set.certificates()).isNotEmpty();
        assertThat(set.certificates())
                .extracting(served -> served.bundle().keyType())
                .doesNotHaveDuplicates();
        assertUnmodifiable(set.certificates());
    }

    private static <T> void assertUnmodifiable(List<T> list) {
        List<T> copy = new ArrayList<>(list);
        assertThatThrownBy(() -> list.addAll(copy.isEmpty() ? copy : copy.subList(0, 1)))
                .isInstanceOf(UnsupportedOperationException.class);
    }
}
