package dev.sallyport.app.config;

import java.util.List;

/**
 * One value of the effective configuration.
 *
 * @param key the whole key
 * @param value as it would be written
 * @param source where it comes from
 */
public record Setting(String key, String value, Source source) {

    /** Where the value of a key comes from. */
    static Source source(List<Setting> settings, String key) {
        return settings.stream()
                .filter(setting -> setting.key().equals(key))
                .map(Setting::source)
                .findFirst()
                .orElseGet(Source.Default::new);
    }
}
