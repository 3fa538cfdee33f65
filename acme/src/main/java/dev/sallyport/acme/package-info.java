/**
 * Certificates from ACME CAs, as a library: {@code plan} decides what to do and when, {@code
 * issuer} says where and for whom, {@code order} does it, {@code challenge} and {@code store} are
 * its ports. Sees neither Netty nor Kubernetes.
 */
@NullMarked
package dev.sallyport.acme;

import org.jspecify.annotations.NullMarked;
