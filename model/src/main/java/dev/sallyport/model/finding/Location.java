package dev.sallyport.model.finding;

/**
 * A place in a file.
 *
 * @param file the path as the user would type it
 * @param line from 1; 0 where the whole file is meant
 */
public record Location(String file, int line) {

    /** {@code manifests/shop.yaml:12}, as compilers and editors write it. */
    @Override
    public String toString() {
        return line > 0 ? file + ":" + line : file;
    }
}
