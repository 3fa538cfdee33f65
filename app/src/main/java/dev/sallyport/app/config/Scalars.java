package dev.sallyport.app.config;

import dev.sallyport.control.translate.BackendReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** From one text to one value and back, for every type that a key can have. */
final class Scalars {
    private Scalars() {}

    /**
     * Reads {@code raw} as a value of {@code type}.
     *
     * @param key the range
     * @throws IllegalArgumentException whose message is what was expected
     */
    static Object parse(Class<?> type, Raw.Text raw, Key key) {
        String text = raw.text();
        if (type == int.class || type == long.class) {
            return number(type, text, key);
        }
        if (type == boolean.class || type == Boolean.class) {
            return truth(text);
        }
        if (type == Duration.class) {
            Duration value = DurationText.parse(text);
            requireRange(
                    value.toMillis(), key, bound -> DurationText.format(Duration.ofMillis(bound)));
            return value;
        }
        if (type == ByteSize.class) {
            ByteSize value = ByteSize.parse(text);
            requireRange(value.bytes(), key, bound -> new ByteSize(bound).toString());
            return value;
        }
        if (type.isEnum()) {
            return constant(type, text);
        }
        if (text.isEmpty()) {
            throw new IllegalArgumentException(expected(type));
        }
        if (type == String.class) {
            List<String> known = List.of(key.oneOf());
            if (!known.isEmpty() && !known.contains(text)) {
                throw new IllegalArgumentException(listed(known));
            }
            return text;
        }
        if (type == Path.class) {
            return path(raw);
        }
        if (type == LogTarget.class) {
            return new LogTarget(LogTarget.isStream(text) ? text : path(raw).toString());
        }
        if (type == BindAddress.class) {
            return BindAddress.parse(text);
        }
        if (type == Cidr.class) {
            return Cidr.parse(text);
        }
        if (type == NamespacedName.class) {
            return NamespacedName.parse(text);
        }
        if (type == PublishAddress.class) {
            return PublishAddress.parse(text);
        }
        if (type == BackendReference.class) {
            try {
                return BackendReference.parse(text);
            } catch (IllegalArgumentException malformed) {
                throw new IllegalArgumentException(expected(type), malformed);
            }
        }
        throw new IllegalStateException("type: " + type + " (expected: one that a key may have)");
    }

    /** As it would be written in the file. */
    static String format(@Nullable Object value) {
        return switch (value) {
            case null -> "";
            case Optional<?> optional -> format(optional.orElse(null));
            case List<?> list ->
                    list.stream().map(Scalars::format).collect(Collectors.joining(", "));
            case Duration duration -> DurationText.format(duration);
            case Enum<?> constant -> Words.kebab(constant.name());
            default -> value.toString();
        };
    }

    /** What the documentation says of a type. */
    static String expected(Class<?> type) {
        if (type == int.class || type == long.class) {
            return "number";
        }
        if (type == boolean.class || type == Boolean.class) {
            return "true or false";
        }
        if (type == Duration.class) {
            return "duration";
        }
        if (type == ByteSize.class) {
            return "size";
        }
        if (type.isEnum()) {
            return constants(type);
        }
        if (type == Path.class) {
            return "path";
        }
        if (type == LogTarget.class) {
            return LogTarget.FORM;
        }
        if (type == BindAddress.class) {
            return "address:port";
        }
        if (type == Cidr.class) {
            return "CIDR";
        }
        if (type == NamespacedName.class) {
            return "namespace/name";
        }
        if (type == PublishAddress.class) {
            return PublishAddress.FORM;
        }
        if (type == BackendReference.class) {
            return "namespace/service:port";
        }
        return "text";
    }

    private static Object number(Class<?> type, String text, Key key) {
        long value;
        try {
            value = Long.parseLong(text);
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(
                    "a number, " + range(key, Long::toString), notANumber);
        }
        requireRange(value, key, Long::toString);
        if (type == long.class) {
            return value;
        }
        return Math.toIntExact(value);
    }

    private static Object truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("true or false");
        };
    }

    private static Object constant(Class<?> type, String text) {
        String wanted = text.toLowerCase(Locale.ROOT).replace('_', '-');
        for (Object constant : type.getEnumConstants()) {
            if (format(constant).equals(wanted)) {
                return constant;
            }
        }
        throw new IllegalArgumentException(constants(type));
    }

    private static String constants(Class<?> type) {
        List<String> names = Arrays.stream(type.getEnumConstants()).map(Scalars::format).toList();
        return listed(names);
    }

    private static String listed(List<String> names) {
        return String.join(", ", names.subList(0, names.size() - 1)) + " or " + names.getLast();
    }

    /** Paths in the file are relative to the file, others to the working directory. */
    private static Path path(Raw.Text raw) {
        Path written = Path.of(raw.text());
        if (raw.source() instanceof Source.File(var location)) {
            Path folder = Path.of(location.file()).getParent();
            return folder == null ? written : folder.resolve(written);
        }
        return written;
    }

    private static void requireRange(
            long value, Key key, java.util.function.LongFunction<String> format) {
        if (value < key.min() || value > key.max()) {
            throw new IllegalArgumentException(range(key, format));
        }
    }

    private static String range(Key key, java.util.function.LongFunction<String> format) {
        return key.max() == Long.MAX_VALUE
                ? format.apply(key.min()) + " or more"
                : format.apply(key.min()) + "–" + format.apply(key.max());
    }
}
