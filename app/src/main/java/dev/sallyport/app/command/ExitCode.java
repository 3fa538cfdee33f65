package dev.sallyport.app.command;

/** What the process ends with; the numbers above 1 are those of BSD's sysexits.h. */
enum ExitCode {
    /** All is well. */
    OK(0),
    /** {@code check} found an object that cannot be put in service. */
    UNUSABLE(1),
    /** The command line is wrong. */
    USAGE(64),
    /** What was named is not there. */
    NO_INPUT(66),
    /** A port is taken, no gateway answers, or the native TLS library is missing. */
    UNAVAILABLE(69),
    /** A bug. */
    BUG(70),
    /** The configuration is wrong, or the kubeconfig. */
    CONFIGURATION(78);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
