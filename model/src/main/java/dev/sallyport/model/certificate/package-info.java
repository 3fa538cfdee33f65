/**
 * Certificates that were proven usable, and the table that says which host is served with which.
 */
@NullMarked
package dev.sallyport.model.certificate;

import org.jspecify.annotations.NullMarked;
