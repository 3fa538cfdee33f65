/**
 * The last known good state on disk: what is served is kept in a sealed file, and read from there
 * where the gateway starts while the API server does not answer.
 */
@NullMarked
package dev.sallyport.control.stored;

import org.jspecify.annotations.NullMarked;
