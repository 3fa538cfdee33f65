/**
 * HTTP/2 on the client side: one handler for a connection, one plain object for each of its
 * streams, and bounds on everything a client may make us do.
 */
@NullMarked
package dev.sallyport.proxy.http2;

import org.jspecify.annotations.NullMarked;
