/** Tests of HTTP/2: over real sockets with frames written by hand, and with h2spec. */
@NullMarked
package dev.sallyport.proxy.http2;

import org.jspecify.annotations.NullMarked;
