package dev.sallyport.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A request as it arrived at a backend.
 *
 * @param connection the number of the connection, counted by the backend from 1
 * @param method the method
 * @param target the request target, byte for byte (ISO 8859-1)
 * @param fields the header fields in order, names as they were sent
 * @param body the body, its framing taken away
 * @param in what comes on the connection without any framing, for WebSockets
 */
record Request(
        int connection,
        String method,
        String target,
        List<Field> fields,
        InputStream body,
        InputStream in) {

    /** A header field. */
    record Field(String name, String value) {}

    /** The first value of a field. */
    Optional<String> first(String name) {
        return all(name).findFirst();
    }

    /** All values of a field, in order. */
    Stream<String> all(String name) {
        return fields.stream()
                .filter(field -> field.name().equalsIgnoreCase(name))
                .map(Field::value);
    }

    /** The whole body as ISO 8859-1. */
    String text() throws IOException {
        return new String(body.readAllBytes(), ISO_8859_1);
    }
}
