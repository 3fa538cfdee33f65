/**
 * Names: host names as DNS and TLS mean them, references to Kubernetes objects, and tables indexed
 * by name.
 */
@NullMarked
package dev.sallyport.model.name;

import org.jspecify.annotations.NullMarked;
