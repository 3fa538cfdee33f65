/**
 * Kubernetes objects as translators take them: the API's own model with the place they came from.
 */
@NullMarked
package dev.sallyport.control.resource;

import org.jspecify.annotations.NullMarked;
