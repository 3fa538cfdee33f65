package dev.sallyport.conformance;

import static org.junit.jupiter.api.extension.ConditionEvaluationResult.enabled;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Tests that need a Kubernetes. Their methods may take the {@link Cluster}, which is brought up for
 * the first of them and taken down after the last of the run, and {@link Namespace}s, each new and
 * deleted after the test, or after the class where a method before all tests took it.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("cluster")
@ExtendWith(OnCluster.Fixture.class)
@interface OnCluster {

    /** What else it needs; the test bed has it all. */
    Need[] needs() default {};

    /** Gives tests what they ask for. */
    final class Fixture implements ParameterResolver, ExecutionCondition {

        private static final ExtensionContext.Namespace STORE =
                ExtensionContext.Namespace.create(OnCluster.class);
        private static final AtomicInteger NAMESPACES = new AtomicInteger();

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if (!Cluster.isGiven()) {
                return enabled("on the test bed");
            }
            Need[] needs =
                    context.getElement()
                            .map(element -> element.getAnnotation(OnCluster.class))
                            .map(OnCluster::needs)
                            .orElse(new Need[0]);
            return Stream.of(needs)
                    .map(need -> need.missing(() -> cluster(context)))
                    .flatMap(Optional::stream)
                    .findFirst()
                    .map(ConditionEvaluationResult::disabled)
                    .orElse(enabled("on the cluster that was given"));
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            Class<?> type = parameter.getParameter().getType();
            return type == Cluster.class || type == Namespace.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            Cluster cluster = cluster(context);
            if (parameter.getParameter().getType() == Cluster.class) {
                return cluster;
            }
            Namespace namespace = cluster.namespace();
            context.getStore(STORE).put(NAMESPACES.incrementAndGet(), namespace);
            return namespace;
        }

        private static Cluster cluster(ExtensionContext context) {
            return context.getRoot()
                    .getStore(STORE)
                    .computeIfAbsent("cluster", _ -> Cluster.open(), Cluster.class);
        }
    }
}
