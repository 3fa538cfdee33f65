package dev.sallyport.app.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a configuration key means: the text of {@code docs/configuration.md}. The key's name is the
 * record component's in kebab-case; type and default come from the record.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Key {
    /** One sentence for operators. */
    String value();

    /** The least value; of durations milliseconds, of sizes bytes. */
    long min() default 0;

    /** The texts that are known; empty where any will do. */
    String[] oneOf() default {};

    /** The greatest value; of durations milliseconds, of sizes bytes. */
    long max() default Long.MAX_VALUE;
}
