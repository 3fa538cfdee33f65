/**
 * What to issue and renew, and when. Here will live the pure renewal plan, the runner of orders
 * (the one class that sees acme4j), the board that presents challenges on every data plane, and the
 * ports for storing accounts and certificates. Will depend on the model, on the pure part of {@code
 * tls} and on acme4j; will see neither Netty nor fabric8.
 */
@NullMarked
package dev.sallyport.acme;

import org.jspecify.annotations.NullMarked;
