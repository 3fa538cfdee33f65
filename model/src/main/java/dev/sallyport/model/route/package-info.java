/**
 * Routes: what a request must look like and what it is answered with, compiled into an index by
 * host.
 */
@NullMarked
package dev.sallyport.model.route;

import org.jspecify.annotations.NullMarked;
