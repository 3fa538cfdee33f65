package dev.sallyport.app.command;

/** A command cannot do what it was asked for; printed without a stack trace. */
final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    private final ExitCode exit;

    /** A failure with a message that says what to do. */
    Failed(ExitCode exit, String message) {
        super(message);
        this.exit = exit;
    }

    ExitCode exit() {
        return exit;
    }
}
