package dev.sallyport.app.config;

import java.util.List;

/** The configuration cannot be used; holds everything that is wrong with it at once. */
public final class InvalidConfiguration extends Exception {
    private static final long serialVersionUID = 1;

    private final transient List<Problem> problems;

    InvalidConfiguration(List<Problem> problems) {
        super(problems.size() + " problems in the configuration");
        this.problems = List.copyOf(problems);
    }

    /** At least one, in the order of the sources. */
    public List<Problem> problems() {
        return problems;
    }
}
