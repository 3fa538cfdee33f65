/**
 * HTTP on the backend side: endpoints, per-event-loop connection pools, and one call on one
 * connection.
 */
@NullMarked
package dev.sallyport.proxy.upstream;

import org.jspecify.annotations.NullMarked;
