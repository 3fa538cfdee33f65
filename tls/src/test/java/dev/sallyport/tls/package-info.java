/** Rules over the whole module. */
@NullMarked
package dev.sallyport.tls;

import org.jspecify.annotations.NullMarked;
