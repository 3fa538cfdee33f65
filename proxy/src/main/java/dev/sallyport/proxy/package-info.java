/** The data plane: what it is configured with, and the class that puts snapshots in service. */
@NullMarked
package dev.sallyport.proxy;

import org.jspecify.annotations.NullMarked;
