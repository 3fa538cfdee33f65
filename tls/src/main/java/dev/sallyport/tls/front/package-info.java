/** The TLS side of a connection's beginning: from its first byte to an established handshake. */
@NullMarked
package dev.sallyport.tls.front;

import org.jspecify.annotations.NullMarked;
