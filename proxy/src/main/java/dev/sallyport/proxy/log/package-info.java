/** The access log: one line for each exchange, written by a thread of its own. */
@NullMarked
package dev.sallyport.proxy.log;

import org.jspecify.annotations.NullMarked;
