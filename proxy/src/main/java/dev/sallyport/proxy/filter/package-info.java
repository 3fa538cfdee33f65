/** What is taken out of header fields and what is put in, on the way to a backend and back. */
@NullMarked
package dev.sallyport.proxy.filter;

import org.jspecify.annotations.NullMarked;
