/** Native TLS: one context per policy, certificates as credentials chosen by SNI. */
@NullMarked
package dev.sallyport.tls.context;

import org.jspecify.annotations.NullMarked;
