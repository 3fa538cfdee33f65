/** Listeners: bound ports and the TLS policies spoken on them. */
@NullMarked
package dev.sallyport.model.listener;

import org.jspecify.annotations.NullMarked;
