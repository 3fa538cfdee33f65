/**
 * What must outlive the process: account keys, orders in progress, issued certificates. A port, and
 * its implementation in a directory. Whoever stores in a cluster implements the port elsewhere.
 */
@NullMarked
package dev.sallyport.acme.store;

import org.jspecify.annotations.NullMarked;
