package dev.sallyport.app.command;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;

/** What commands print for programs, and what they read from the admin port. */
final class Json {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Json() {}

    /** Indented, for people to read as well. */
    static String write(Object page) {
        return MAPPER.writeValueAsString(page);
    }

    /**
     * Reads a page of the admin port.
     *
     * @throws tools.jackson.core.JacksonException where it is not one
     */
    static <T> T read(String json, Class<T> type) {
        @Nullable T page = MAPPER.readValue(json, type);
        if (page == null) {
            throw MismatchedInputException.from(null, type, "null (expected: an object)");
        }
        return page;
    }
}
