/** Benchmarks of reading certificates. */
@NullMarked
package dev.sallyport.bench.certificate;

import org.jspecify.annotations.NullMarked;
