package dev.sallyport.control.translate;

/** A Service port by number or by name. */
public sealed interface PortReference {

    /** By number. */
    record ByNumber(int number) implements PortReference {
        public ByNumber {
            if (number < 1 || number > 65535) {
                throw new IllegalArgumentException("port: " + number + " (expected: 1–65535)");
            }
        }

        @Override
        public String toString() {
            return Integer.toString(number);
        }
    }

    /** By the name that the Service gives it. */
    record ByName(String name) implements PortReference {
        @Override
        public String toString() {
            return name;
        }
    }
}
