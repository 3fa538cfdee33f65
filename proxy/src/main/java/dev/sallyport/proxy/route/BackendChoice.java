package dev.sallyport.proxy.route;

import dev.sallyport.model.route.WeightedBackend;
import dev.sallyport.model.upstream.UpstreamKey;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Which of a route's backends a request goes to. */
public final class BackendChoice {
    private BackendChoice() {}

    /** One of them, each as likely as its share of the weights; null where none weighs anything. */
    public static @Nullable UpstreamKey choose(
            List<WeightedBackend> backends, RandomGenerator random) {
        int size = backends.size();
        if (size == 1) {
            WeightedBackend only = backends.getFirst();
            return only.weight() > 0 ? only.upstream() : null;
        }
        long total = 0;
        for (int i = 0; i < size; i++) {
            total += backends.get(i).weight();
        }
        if (total == 0) {
            return null;
        }
        long left = random.nextLong(total);
        int i = 0;
        while (left >= backends.get(i).weight()) {
            left -= backends.get(i).weight();
            i++;
        }
        return backends.get(i).upstream();
    }
}
