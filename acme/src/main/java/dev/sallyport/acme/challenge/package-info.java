/**
 * What is shown to a CA to prove a name, and the board on which it is shown. The board is a port:
 * whoever has data planes implements it, and returns only when all of them answer.
 */
@NullMarked
package dev.sallyport.acme.challenge;

import org.jspecify.annotations.NullMarked;
