/**
 * Keeps certificates: for each that is wanted it decides again and again what is to be done, has it
 * ordered, and says how it stands. One thread owns what was asked of the CAs and what failed.
 */
@NullMarked
package dev.sallyport.acme.keep;

import org.jspecify.annotations.NullMarked;
