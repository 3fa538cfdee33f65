package dev.sallyport.proxy.http;

import java.util.List;

/**
 * What a codec refused, and why. What of the request could not be read is empty.
 *
 * @param accept the values of the Accept fields
 */
public record Refusal(
        String method, String authority, String target, List<String> accept, ProxyError why) {}
