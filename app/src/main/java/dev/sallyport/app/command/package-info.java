/** The command line: flags in, tables and exit codes out. The only user of picocli. */
@NullMarked
package dev.sallyport.app.command;

import org.jspecify.annotations.NullMarked;
