/** Where objects come from: a folder of manifests read like an API server. */
@NullMarked
package dev.sallyport.control.source;

import org.jspecify.annotations.NullMarked;
