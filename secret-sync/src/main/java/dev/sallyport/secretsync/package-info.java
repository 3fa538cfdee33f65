/** From Secrets to certificates in service: what parsed last stays until something better does. */
@NullMarked
package dev.sallyport.secretsync;

import org.jspecify.annotations.NullMarked;
