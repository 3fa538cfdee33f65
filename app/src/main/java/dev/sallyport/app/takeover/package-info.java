/** Takes over certificates and accounts from what other programs keep. */
@NullMarked
package dev.sallyport.app.takeover;

import org.jspecify.annotations.NullMarked;
