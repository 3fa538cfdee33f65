/** From PEM to proven bundles: pure, on the heap, free of Netty. */
@NullMarked
package dev.sallyport.tls.certificate;

import org.jspecify.annotations.NullMarked;
