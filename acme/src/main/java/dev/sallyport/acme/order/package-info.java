/**
 * Orders, carried out: the only package that knows acme4j. Everything that comes from a CA is
 * distrusted: where its URLs point, how much it sends and for how long, and whether what it issued
 * is what was ordered.
 */
@NullMarked
package dev.sallyport.acme.order;

import org.jspecify.annotations.NullMarked;
