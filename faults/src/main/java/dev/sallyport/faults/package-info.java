/** What tests put between the gateway and others to see it fail. No part of the program. */
@NullMarked
package dev.sallyport.faults;

import org.jspecify.annotations.NullMarked;
