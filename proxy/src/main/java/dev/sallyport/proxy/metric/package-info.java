/**
 * What the data plane counts: cheap striped counters that event loops add to, and one immutable
 * reading of them all for whoever exports it.
 */
@NullMarked
package dev.sallyport.proxy.metric;

import org.jspecify.annotations.NullMarked;
