package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class BudgetTest {

    @Test
    void theLimitItselfMayBeSpent() {
        Budget budget = new Budget(3, 0);

        assertThat(budget.spend(3, 1)).isTrue();
    }

    @Test
    void oneMoreThanTheLimitMayNot() {
        Budget budget = new Budget(3, 0);
        budget.spend(3, 1);

        assertThat(budget.spend(1, 2)).isFalse();
    }

    @Test
    void halfAMinuteLaterAllMayBeSpentAgain() {
        Budget budget = new Budget(3, 0);
        budget.spend(4, 1);

        assertThat(budget.spend(3, TimeUnit.SECONDS.toNanos(30))).isTrue();
    }
}
