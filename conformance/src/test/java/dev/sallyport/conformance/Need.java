package dev.sallyport.conformance;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a test needs beside an API server with cert-manager and nodes that run Pods. The test bed
 * has it all; where a cluster was given and something is missing, the test is reported as skipped,
 * with what is said here.
 */
enum Need {

    /** The node's own network, processes and files, to look into and to break. */
    NODE {
        @Override
        Optional<String> missing(Supplier<Cluster> given) {
            return Optional.of("needs the test bed's own node, and a cluster was given");
        }
    },

    /** Nobody else on the cluster: others would notice the test, or the test them. */
    ALONE {
        @Override
        Optional<String> missing(Supplier<Cluster> given) {
            return Optional.of(
                    "serves or changes what is not the tests' own, and a cluster was given");
        }
    },

    /** A way from this machine to Pods: the gateway is a process here. */
    PODS {
        @Override
        Optional<String> missing(Supplier<Cluster> given) {
            return given.get().reachesPods()
                    ? Optional.empty()
                    : Optional.of(
                            "needs a route from this machine to the Pods of the cluster that was"
                                    + " given: see conformance/README.md");
        }
    },

    /** An ACME server that is led to this machine by every name. */
    ACME {
        @Override
        Optional<String> missing(Supplier<Cluster> given) {
            return Acme.of(given.get()).isPresent()
                    ? Optional.empty()
                    : Optional.of(
                            "needs an ACME server for the cluster that was given: -D"
                                    + Acme.DIRECTORY
                                    + " and what else conformance/README.md says");
        }
    };

    /** What a cluster that was given lacks. */
    abstract Optional<String> missing(Supplier<Cluster> given);
}
