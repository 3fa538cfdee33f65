/**
 * Tries the packaged gateway by its users' means: it is started as a process on a folder of
 * manifests and spoken to with curl, openssl, h2spec, h2load, the JDK's clients and raw sockets. No
 * class of the gateway is on this module's class path.
 */
@NullMarked
package dev.sallyport.conformance;

import org.jspecify.annotations.NullMarked;
