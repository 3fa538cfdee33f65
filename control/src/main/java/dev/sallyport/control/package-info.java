/**
 * From Kubernetes objects to snapshots: sources, pure translators and the one thread that
 * reconciles.
 */
@NullMarked
package dev.sallyport.control;

import org.jspecify.annotations.NullMarked;
