package dev.sallyport.control.translate;

import dev.sallyport.model.name.Hostname;

/** For which requests a rule is meant. */
sealed interface HostScope {

    /** Requests for one name, or for all names under a wildcard. */
    record Named(Hostname name) implements HostScope {
        @Override
        public String toString() {
            return "host " + name;
        }
    }

    /** Requests for whatever host. */
    record Any() implements HostScope {
        static final Any ANY = new Any();

        @Override
        public String toString() {
            return "any host";
        }
    }
}
