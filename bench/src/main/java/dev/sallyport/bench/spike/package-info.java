/** The floor: the least a Netty proxy can do, to measure what the gateway adds to it. */
@NullMarked
package dev.sallyport.bench.spike;

import org.jspecify.annotations.NullMarked;
