/**
 * What the gateway is meant to do, as immutable values: the vocabulary that the control side and
 * the traffic side share. Depends on nothing but the JDK.
 */
@NullMarked
package dev.sallyport.model;

import org.jspecify.annotations.NullMarked;
