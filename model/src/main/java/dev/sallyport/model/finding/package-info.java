/**
 * Remarks about objects. A finding never stops its neighbours: it is a value that travels beside
 * the result.
 */
@NullMarked
package dev.sallyport.model.finding;

import org.jspecify.annotations.NullMarked;
