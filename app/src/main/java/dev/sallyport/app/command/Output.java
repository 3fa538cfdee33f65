package dev.sallyport.app.command;

/** How a command prints its result. */
enum Output {
    /** For people. */
    TEXT,
    /** For programs. */
    JSON
}
