/**
 * What the program says of itself: its log, and its metrics as Prometheus reads them, the adapter
 * behind the ports of the data plane and the control side.
 */
@NullMarked
package dev.sallyport.app.telemetry;

import org.jspecify.annotations.NullMarked;
