/** Benchmarks of the immutable tables that every handshake and every request reads. */
@NullMarked
package dev.sallyport.bench.table;

import org.jspecify.annotations.NullMarked;
