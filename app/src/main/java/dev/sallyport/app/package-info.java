/**
 * The program: configuration, wiring, the admin port and the command line. Nothing depends on it.
 */
@NullMarked
package dev.sallyport.app;

import org.jspecify.annotations.NullMarked;
