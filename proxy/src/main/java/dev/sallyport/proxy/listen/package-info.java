/**
 * The way in: event loops, bound ports, bounds on connections, and the pipeline each connection
 * gets.
 */
@NullMarked
package dev.sallyport.proxy.listen;

import org.jspecify.annotations.NullMarked;
