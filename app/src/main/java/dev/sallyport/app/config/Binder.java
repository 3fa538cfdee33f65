package dev.sallyport.app.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a tree of records from what was written, collecting every problem on the way. A component
 * that is a record is a section; every other one is a key. Confined to one thread.
 */
final class Binder {
    private static final Source DEFAULT = new Source.Default();

    private final Map<String, Raw> overrides;
    private final List<Problem> problems;
    private final List<Setting> settings = new ArrayList<>();

    /**
     * @param overrides what was written outside the file, by key; wins over the file
     * @param problems where problems are added
     */
    Binder(Map<String, Raw> overrides, List<Problem> problems) {
        this.overrides = overrides;
        this.problems = problems;
    }

    /** Every key with its value and source, in the order of the records. */
    List<Setting> settings() {
        return settings;
    }

    /** The tree; only to be used where there was no problem. */
    GatewayConfig bind(Raw file, GatewayConfig defaults) {
        Object bound = section(GatewayConfig.class, file, defaults, "");
        return bound instanceof GatewayConfig config ? config : defaults;
    }

    private @Nullable Object section(
            Class<?> type, @Nullable Raw raw, @Nullable Object defaults, String prefix) {
        Map<String, Raw> written = fields(type, raw, prefix);
        RecordComponent[] components = type.getRecordComponents();
        @Nullable Object[] values = new @Nullable Object[components.length];
        int before = problems.size();
        int firstSetting = settings.size();
        for (int i = 0; i < components.length; i++) {
            RecordComponent component = components[i];
            String name = Words.kebab(component.getName());
            String key = prefix + name;
            Raw value = written.get(name);
            Object fallback = defaults == null ? null : read(component, defaults);
            values[i] =
                    component.getType().isRecord() && component.getAnnotation(Key.class) == null
                            ? section(component.getType(), value, fallback, key + ".")
                            : key(component, value, fallback, key, raw);
        }
        if (problems.size() > before) {
            return defaults;
        }
        try {
            return construct(type, components, values);
        } catch (IllegalArgumentException invalid) {
            Source source = raw == null ? DEFAULT : raw.source();
            for (Setting setting : settings.subList(firstSetting, settings.size())) {
                if (!(setting.source() instanceof Source.Default)) {
                    source = setting.source();
                }
            }
            problems.add(
                    new Problem(source, trimmed(prefix), String.valueOf(invalid.getMessage())));
            return defaults;
        }
    }

    private @Nullable Object key(
            RecordComponent component,
            @Nullable Raw written,
            @Nullable Object fallback,
            String key,
            @Nullable Raw section) {
        Raw override = overrides.get(key);
        if (override != null && drops(written, key)) {
            problems.add(
                    new Problem(
                            override.source(),
                            key,
                            "would replace listeners that have settings of their own (expected: all addresses in the"
                                    + " file)"));
            return fallback;
        }
        Raw raw = override == null ? written : override;
        if (raw == null) {
            if (fallback == null && component.getType() == Optional.class) {
                return Optional.empty();
            }
            if (fallback == null) {
                problems.add(
                        new Problem(section == null ? DEFAULT : section.source(), key, "missing"));
            } else {
                settings.add(new Setting(key, Scalars.format(fallback), DEFAULT));
            }
            return fallback;
        }
        Object value = value(component.getGenericType(), raw, range(component), key);
        if (value != null) {
            settings.add(new Setting(key, Scalars.format(value), raw.source()));
        }
        return value;
    }

    /** A flag or variable names addresses only: it must not quietly drop what protects one. */
    private static boolean drops(@Nullable Raw written, String key) {
        return key.equals("listeners.https")
                && written instanceof Raw.Many many
                && many.items().stream().anyMatch(item -> item instanceof Raw.Fields);
    }

    /** A value of the type, or null where a problem was added. */
    private @Nullable Object value(Type type, Raw raw, Key range, String key) {
        if (type instanceof ParameterizedType generic) {
            Type element = generic.getActualTypeArguments()[0];
            if (generic.getRawType() == List.class) {
                return list(element, raw, range, key);
            }
            if (raw instanceof Raw.Nothing) {
                return Optional.empty();
            }
            Object present = value(element, raw, range, key);
            return present == null ? null : Optional.of(present);
        }
        Class<?> plain = (Class<?>) type;
        if (isStructure(plain)) {
            int before = settings.size();
            Object built = section(plain, firstKey(plain, raw), null, key + ".");
            settings.subList(before, settings.size()).clear();
            return built;
        }
        return switch (raw) {
            case Raw.Text text -> scalar(plain, text, range, key);
            case Raw.Nothing(Source source) -> mismatch(source, key, "empty", plain);
            case Raw.Many(_, Source source) -> mismatch(source, key, "a list", plain);
            case Raw.Fields(_, Source source) -> mismatch(source, key, "a mapping", plain);
        };
    }

    private @Nullable Object scalar(Class<?> type, Raw.Text text, Key range, String key) {
        try {
            return Scalars.parse(type, text, range);
        } catch (IllegalArgumentException unexpected) {
            problems.add(
                    new Problem(
                            text.source(),
                            key,
                            (text.text().isEmpty() ? "empty" : text.text())
                                    + " (expected: "
                                    + unexpected.getMessage()
                                    + ")"));
            return null;
        }
    }

    private @Nullable Object mismatch(Source source, String key, String found, Class<?> type) {
        problems.add(
                new Problem(source, key, found + " (expected: " + Scalars.expected(type) + ")"));
        return null;
    }

    private @Nullable Object list(Type element, Raw raw, Key range, String key) {
        List<Raw> items =
                switch (raw) {
                    case Raw.Many many -> many.items();
                    case Raw.Nothing _ -> List.of();
                    case Raw.Fields fields -> List.of(fields);
                    case Raw.Text(String text, Source source) ->
                            Arrays.stream(text.split(",", -1))
                                    .map(String::strip)
                                    // A flag without a value is a mistake, not an empty list.
                                    .filter(part ->
                                            !part.isEmpty() || source instanceof Source.Flag)
                                    .map(part -> (Raw) new Raw.Text(part, source))
                                    .toList();
                };
        List<Object> values = new ArrayList<>();
        boolean whole = true;
        for (int i = 0; i < items.size(); i++) {
            Object value = value(element, items.get(i), range, key + "[" + i + "]");
            if (value == null) {
                whole = false;
            } else {
                values.add(value);
            }
        }
        return whole ? List.copyOf(values) : null;
    }

    /** The entries of a section by name; unknown and repeated ones are problems. */
    private Map<String, Raw> fields(Class<?> type, @Nullable Raw raw, String prefix) {
        Map<String, Raw> byName = new HashMap<>();
        if (raw == null || raw instanceof Raw.Nothing) {
            return byName;
        }
        if (!(raw instanceof Raw.Fields(List<Raw.Field> fields, _))) {
            problems.add(
                    new Problem(
                            raw.source(),
                            trimmed(prefix),
                            "not a mapping (expected: keys with values)"));
            return byName;
        }
        Set<String> known = new HashSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            known.add(Words.kebab(component.getName()));
        }
        for (Raw.Field field : fields) {
            String key = prefix + field.name();
            if (!known.contains(field.name())) {
                problems.add(
                        new Problem(
                                field.source(),
                                key,
                                "unknown key" + suggestion(field.name(), known, prefix)));
            } else if (byName.putIfAbsent(field.name(), field.value()) != null) {
                problems.add(new Problem(field.source(), key, "defined twice"));
            }
        }
        return byName;
    }

    /** A key nearby of the same section, else one of that name elsewhere. */
    private static String suggestion(String name, Set<String> siblings, String prefix) {
        Optional<String> near = Words.nearest(name, siblings);
        if (near.isPresent()) {
            return " (did you mean " + prefix + near.get() + "?)";
        }
        for (Schema.Entry entry : Schema.entries()) {
            if (entry.key().endsWith("." + name)) {
                return " (did you mean " + entry.key() + "?)";
            }
        }
        return "";
    }

    /** An entry of a list of structures may be written as the text of its first key. */
    private static Raw firstKey(Class<?> type, Raw raw) {
        if (!(raw instanceof Raw.Text text)) {
            return raw;
        }
        String first = Words.kebab(type.getRecordComponents()[0].getName());
        return new Raw.Fields(List.of(new Raw.Field(first, text, text.source())), text.source());
    }

    /** Whether the type has keys of its own, rather than one text. */
    static boolean isStructure(Class<?> type) {
        return type.isRecord() && type.getRecordComponents()[0].getAnnotation(Key.class) != null;
    }

    private static Key range(RecordComponent component) {
        Key key = component.getAnnotation(Key.class);
        if (key == null) {
            throw new IllegalStateException(component + ": no @Key");
        }
        return key;
    }

    private static String trimmed(String prefix) {
        return prefix.isEmpty() ? prefix : prefix.substring(0, prefix.length() - 1);
    }

    static Object read(RecordComponent component, Object holder) {
        try {
            return component.getAccessor().invoke(holder);
        } catch (ReflectiveOperationException bug) {
            throw new IllegalStateException(bug);
        }
    }

    private static Object construct(
            Class<?> type, RecordComponent[] components, @Nullable Object[] values) {
        Class<?>[] parameters =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return type.getDeclaredConstructor(parameters).newInstance(values);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof IllegalArgumentException invalid) {
                throw invalid;
            }
            throw new IllegalStateException(thrown);
        } catch (ReflectiveOperationException bug) {
            throw new IllegalStateException(bug);
        }
    }
}
