package dev.sallyport.proxy.http;

import org.jspecify.annotations.Nullable;

/** Whether there is room for one more exchange. Asked on the event loop for each. */
@FunctionalInterface
public interface Admission {

    /** Always room. */
    Admission OPEN = _ -> null;

    /** Null to go on, or why not: {@link ProxyError#OVERLOADED}, {@link ProxyError#DRAINING}. */
    @Nullable ProxyError refuse(ClientConnection connection);
}
