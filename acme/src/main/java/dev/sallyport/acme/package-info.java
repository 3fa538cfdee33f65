/**
 * What to issue and renew, and when: plans, orders, challenges and the ports for storing them (issue 5: built-in ACME).
 * Depends on the model, on the pure part of tls and on acme4j; sees neither Netty nor fabric8.
 */
@NullMarked
package dev.sallyport.acme;

import org.jspecify.annotations.NullMarked;
