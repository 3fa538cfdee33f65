package dev.sallyport.app.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** All keys, as the records declare them. */
final class Schema {
    private static final List<Entry> ENTRIES = collect();

    private Schema() {}

    /**
     * One key.
     *
     * @param key the whole key
     * @param type what it takes, for people
     * @param fallback the default as it would be written, where a folder is served
     * @param inCluster the default where a cluster's objects are served
     * @param documentation what it means
     */
    record Entry(String key, String type, String fallback, String inCluster, Key documentation) {

        /** For tables: {@code `true`; in a cluster `false`}. */
        String defaults() {
            String folder = fallback.isEmpty() ? "" : "`" + fallback + "`";
            return inCluster.equals(fallback)
                    ? folder
                    : folder + "; in a cluster `" + inCluster + "`";
        }

        String variable() {
            return Words.variable(key);
        }
    }

    /** In the order of the records. */
    static List<Entry> entries() {
        return ENTRIES;
    }

    private static List<Entry> collect() {
        List<Entry> entries = new ArrayList<>();
        collect(GatewayConfig.class, GatewayConfig.DEFAULT, GatewayConfig.IN_CLUSTER, "", entries);
        return List.copyOf(entries);
    }

    private static void collect(
            Class<?> section,
            Object defaults,
            Object inCluster,
            String prefix,
            List<Entry> entries) {
        for (RecordComponent component : section.getRecordComponents()) {
            String key = prefix + Words.kebab(component.getName());
            Object fallback = Binder.read(component, defaults);
            Object other = Binder.read(component, inCluster);
            @Nullable Key documentation = component.getAnnotation(Key.class);
            if (documentation == null) {
                collect(component.getType(), fallback, other, key + ".", entries);
            } else {
                entries.add(
                        new Entry(
                                key,
                                type(component.getGenericType()),
                                Scalars.format(fallback),
                                Scalars.format(other),
                                documentation));
            }
        }
    }

    private static String type(Type type) {
        if (type instanceof ParameterizedType generic) {
            String element = type(generic.getActualTypeArguments()[0]);
            return generic.getRawType() == Optional.class ? element : "list of " + element;
        }
        Class<?> plain = (Class<?>) type;
        if (Binder.isStructure(plain)) {
            return plain == GatewayConfig.HttpsListener.class
                    ? "address:port or mapping"
                    : "mapping";
        }
        return Scalars.expected(plain);
    }
}
