/**
 * Where certificates may be ordered and for whom: issuers and allow-lists as values that are sound
 * once they exist. What people wrote is turned into them by {@code parse}, with findings.
 */
@NullMarked
package dev.sallyport.acme.issuer;

import org.jspecify.annotations.NullMarked;
