/** The orderly end of a data plane. */
@NullMarked
package dev.sallyport.proxy.drain;

import org.jspecify.annotations.NullMarked;
