/** Upstreams: the resolved addresses behind a backend that a route names. */
@NullMarked
package dev.sallyport.model.upstream;

import org.jspecify.annotations.NullMarked;
