/** Puts the parts together: start, run, drain. */
@NullMarked
package dev.sallyport.app.wire;

import org.jspecify.annotations.NullMarked;
