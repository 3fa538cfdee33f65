/** The one control thread: takes changes, translates, applies, reports. */
@NullMarked
package dev.sallyport.control.reconcile;

import org.jspecify.annotations.NullMarked;
