/** Calls of the API server that end in time, and what their failures mean. */
@NullMarked
package dev.sallyport.control.call;

import org.jspecify.annotations.NullMarked;
