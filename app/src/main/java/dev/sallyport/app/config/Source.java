package dev.sallyport.app.config;

import dev.sallyport.model.finding.Location;

/** Where a configured value comes from. */
public sealed interface Source {

    /** Nobody set it. */
    record Default() implements Source {
        @Override
        public String toString() {
            return "default";
        }
    }

    /** The configuration file. */
    record File(Location location) implements Source {
        @Override
        public String toString() {
            return location.toString();
        }
    }

    /** A variable of the environment. */
    record Environment(String variable) implements Source {
        @Override
        public String toString() {
            return variable;
        }
    }

    /** A flag of the command line. */
    record Flag(String name) implements Source {
        @Override
        public String toString() {
            return name;
        }
    }
}
