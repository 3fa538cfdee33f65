/** Chooses the one replica that writes to the API server. */
@NullMarked
package dev.sallyport.control.leader;

import org.jspecify.annotations.NullMarked;
