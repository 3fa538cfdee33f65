package dev.sallyport.app.telemetry;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import dev.sallyport.app.config.GatewayConfig;
import org.slf4j.LoggerFactory;

/**
 * The program's own log: to standard error, text on a terminal and JSON lines otherwise.
 *
 * <p>Logback finds this class by its service file before anything is logged; until the
 * configuration is read only warnings are shown.
 */
public final class Logging extends ContextAwareBase implements Configurator {
    /** Set by the launcher script: Java cannot ask whether standard error is a terminal. */
    private static final String TERMINAL = "sallyport.terminal";

    /** What strangers may not send to a terminal: control sequences, line breaks, directions. */
    private static final String CONTROL = "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]";

    private static final String CONTROL_BUT_LINES = "[\\p{Cc}\\p{Cf}&&[^\\r\\n\\t]]";

    private static final int QUEUE = 4096;

    /** For logback. */
    public Logging() {}

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        configure(context, Level.WARN, onTerminal());
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /** Applies the configuration. Called once, before the program's threads are started. */
    public static void apply(GatewayConfig.Log log) {
        boolean text =
                switch (log.format()) {
                    case AUTO -> onTerminal();
                    case TEXT -> true;
                    case JSON -> false;
                };
        configure(context(), Level.toLevel(log.level().name()), text);
    }

    /** Writes out what is queued. Nothing is logged afterwards. */
    public static void flush() {
        context().stop();
    }

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }

    private static void configure(LoggerContext context, Level level, boolean text) {
        context.reset();
        var console = new ConsoleAppender<ILoggingEvent>();
        console.setContext(context);
        console.setTarget("System.err");
        console.setEncoder(text ? text(context) : json(context));
        console.start();
        // Event loops log too, and must not wait for a slow reader of standard error.
        var queue = new AsyncAppender();
        queue.setContext(context);
        queue.setQueueSize(QUEUE);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.addAppender(console);
        queue.start();
        var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(level);
        root.addAppender(queue);
        // Libraries' details are of use only to who asks for everything.
        if (level.isGreaterOrEqual(Level.DEBUG)) {
            context.getLogger("io.netty").setLevel(Level.WARN);
            // Warns of each client that does not read the end of its connection: anybody's choice.
            context.getLogger("io.netty.handler.ssl.SslHandler").setLevel(Level.ERROR);
            context.getLogger("io.fabric8").setLevel(Level.WARN);
            // Warn with a stack trace of each attempt while an API server is away; it is a finding.
            context.getLogger("io.fabric8.kubernetes.client.informers").setLevel(Level.ERROR);
            context.getLogger("io.fabric8.kubernetes.client.jdkhttp").setLevel(Level.ERROR);
        }
    }

    private static Encoder<ILoggingEvent> text(LoggerContext context) {
        var encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setCharset(java.nio.charset.StandardCharsets.UTF_8);
        encoder.setPattern(
                "%d{HH:mm:ss.SSS} %-5level %replace(%msg %kvp{NONE}){'"
                        + CONTROL
                        + "', '?'}%n%replace(%ex){'"
                        + CONTROL_BUT_LINES
                        + "', '?'}");
        encoder.start();
        return encoder;
    }

    private static Encoder<ILoggingEvent> json(LoggerContext context) {
        var encoder = new JsonLineEncoder();
        encoder.setContext(context);
        encoder.start();
        return encoder;
    }

    private static boolean onTerminal() {
        return Boolean.getBoolean(TERMINAL);
    }
}
