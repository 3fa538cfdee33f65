package dev.sallyport.proxy.http;

import dev.sallyport.proxy.ProxySettings;

/**
 * What all client connections of a data plane share. Safe from any thread.
 *
 * @param settings bounds and deadlines
 * @param exchanges where requests go
 * @param deadlines the deadlines of each event loop
 */
public record HttpServing(ProxySettings settings, Exchanges exchanges, Deadlines deadlines) {}
