/**
 * Programs that the load harness runs beside the gateway: a TLS client, a prober, a maker of
 * manifests.
 */
@NullMarked
package dev.sallyport.bench.load;

import org.jspecify.annotations.NullMarked;
