package dev.sallyport.conformance;

import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;

/**
 * A request as the echo backend tells of it.
 *
 * @param backend the backend's name
 * @param connection the number of its connection
 * @param host the Host field
 * @param method the method
 * @param target the request target
 * @param fields the header fields and, after them, the trailer fields
 * @param body the body as ISO 8859-1
 */
record Echo(
        String backend,
        int connection,
        String host,
        String method,
        String target,
        List<Request.Field> fields,
        String body) {

    private static final JsonMapper JSON = JsonMapper.shared();

    /** The handler. A HEAD request is answered with the length that GET would have. */
    static Backend.Handler named(String name) {
        return (request, reply) -> {
            String body = request.text();
            var echo =
                    new Echo(
                            name,
                            request.connection(),
                            request.first("Host").orElse(""),
                            request.method(),
                            request.target(),
                            request.fields(),
                            body);
            byte[] json = JSON.writeValueAsBytes(echo);
            if (request.method().equals("HEAD")) {
                reply.raw(
                        Reply.head(200, "Content-Type: application/json")
                                + "Content-Length: "
                                + json.length
                                + "\r\n\r\n");
            } else {
                reply.send(200, json, "Content-Type: application/json", "X-Backend: " + name);
            }
        };
    }

    /** Reads what the handler wrote. */
    static Echo parse(String json) {
        return JSON.readValue(json, Echo.class);
    }

    /** All values of a field, in order. */
    List<String> all(String name) {
        return fields.stream()
                .filter(field -> field.name().equalsIgnoreCase(name))
                .map(Request.Field::value)
                .toList();
    }

    /** The names of all fields, in lower case. */
    List<String> names() {
        return fields.stream().map(field -> field.name().toLowerCase(Locale.ROOT)).toList();
    }
}
