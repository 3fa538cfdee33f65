package dev.sallyport.control.translate;

import dev.sallyport.model.upstream.UpstreamKey;

/** Names a Service. */
record ServiceRef(String namespace, String name) {
    static ServiceRef of(BackendReference backend) {
        return new ServiceRef(backend.namespace(), backend.service());
    }

    static ServiceRef of(UpstreamKey key) {
        return new ServiceRef(key.namespace(), key.service());
    }
}
