/** The whole intent at one version, and the port through which it reaches the data plane. */
@NullMarked
package dev.sallyport.model.snapshot;

import org.jspecify.annotations.NullMarked;
