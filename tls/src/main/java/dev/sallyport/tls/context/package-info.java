/**
 * Native TLS: one context per policy, certificates as credentials that are chosen by SNI. The only
 * package that talks to BoringSSL.
 */
@NullMarked
package dev.sallyport.tls.context;

import org.jspecify.annotations.NullMarked;
