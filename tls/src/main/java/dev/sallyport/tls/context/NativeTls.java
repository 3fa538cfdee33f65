package dev.sallyport.tls.context;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;

/**
 * The native TLS library: BoringSSL, through netty-tcnative. Without it the gateway does not start;
 * the JDK's TLS is never used in its place.
 */
public final class NativeTls {
    private static final String GET_IT =
            "Put netty-tcnative-boringssl-static for this system and processor (linux-x86_64,"
                    + " linux-aarch_64, osx-x86_64 or osx-aarch_64; glibc on Linux) on the class"
                    + " path.";
    private static final String PIN_IT =
            "Use the versions of netty-handler and netty-tcnative-boringssl-static that this"
                    + " release was built with.";

    private NativeTls() {}

    /**
     * Makes sure that the library is there and does what the gateway relies on. Some ten
     * milliseconds the first time, nothing afterwards.
     *
     * @return the library's name and version, for the log
     * @throws NativeTlsUnavailable with advice, where not
     */
    public static String require() {
        load();
        Once.passed();
        return OpenSsl.versionString();
    }

    /**
     * Loads the library: tcnative's classes do not do so themselves, and are broken for good when
     * one is touched before.
     */
    static void load() {
        if (!OpenSsl.isAvailable()) {
            throw new NativeTlsUnavailable(
                    "the native TLS library does not load: " + OpenSsl.unavailabilityCause(),
                    GET_IT,
                    OpenSsl.unavailabilityCause());
        }
        if (!OpenSsl.versionString().contains("BoringSSL")) {
            throw new NativeTlsUnavailable(
                    "the native TLS library is "
                            + OpenSsl.versionString()
                            + " (expected: BoringSSL)",
                    GET_IT,
                    null);
        }
        if (!SslProvider.isTlsv13Supported(SslProvider.OPENSSL_REFCNT)
                || !SslProvider.isAlpnSupported(SslProvider.OPENSSL_REFCNT)) {
            throw new NativeTlsUnavailable(
                    "the native TLS library lacks TLS 1.3 or ALPN: " + OpenSsl.versionString(),
                    PIN_IT,
                    null);
        }
    }

    /** Runs the self test once for the process. */
    private static final class Once {
        private static final java.util.Optional<String> PROBLEM = SelfTest.problem();

        static void passed() {
            PROBLEM.ifPresent(problem -> {
                throw new NativeTlsUnavailable("TLS self test: " + problem, PIN_IT, null);
            });
        }
    }
}
