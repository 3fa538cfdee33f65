/** Kubernetes objects as an API server has them: its client, and the watches that keep up. */
@NullMarked
package dev.sallyport.control.cluster;

import org.jspecify.annotations.NullMarked;
