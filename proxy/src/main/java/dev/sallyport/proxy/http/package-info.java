/** HTTP on the client side: the two wire protocols, and the exchange that both speak to. */
@NullMarked
package dev.sallyport.proxy.http;

import org.jspecify.annotations.NullMarked;
