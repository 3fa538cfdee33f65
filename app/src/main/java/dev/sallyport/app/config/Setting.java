package dev.sallyport.app.config;

/**
 * One value of the effective configuration.
 *
 * @param key the whole key
 * @param value as it would be written
 * @param source where it comes from
 */
public record Setting(String key, String value, Source source) {}
