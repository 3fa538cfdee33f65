/** The admin port: health, metrics, and what is served. Never a key. */
@NullMarked
package dev.sallyport.app.admin;

import org.jspecify.annotations.NullMarked;
