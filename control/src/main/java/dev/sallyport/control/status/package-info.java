/** Tells the owners of Ingresses where they are served: {@code status.loadBalancer}. */
@NullMarked
package dev.sallyport.control.status;

import org.jspecify.annotations.NullMarked;
