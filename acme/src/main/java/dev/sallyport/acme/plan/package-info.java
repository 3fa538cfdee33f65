/**
 * What is to be done about one certificate, and when: pure functions of the certificate, the CA's
 * advice, past failures, the CA's limits and the time. Nothing here talks to anybody or reads a
 * clock.
 */
@NullMarked
package dev.sallyport.acme.plan;

import org.jspecify.annotations.NullMarked;
