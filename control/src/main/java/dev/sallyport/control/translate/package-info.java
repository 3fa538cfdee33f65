/**
 * From objects to a snapshot: pure and total, free of input and output, clocks, clients and
 * threads.
 */
@NullMarked
package dev.sallyport.control.translate;

import org.jspecify.annotations.NullMarked;
