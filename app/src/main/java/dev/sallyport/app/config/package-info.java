/**
 * The configuration: one tree of records, read from defaults, a YAML file, the environment and
 * flags, each value with its source.
 */
@NullMarked
package dev.sallyport.app.config;

import org.jspecify.annotations.NullMarked;
