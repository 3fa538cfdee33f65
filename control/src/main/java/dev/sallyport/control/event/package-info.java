/** Tells the owners of objects what is wrong with them, and what is served: Events. */
@NullMarked
package dev.sallyport.control.event;

import org.jspecify.annotations.NullMarked;
