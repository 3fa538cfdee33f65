package dev.sallyport.control.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BoundedCallsTest {
    private final BoundedCalls calls = new BoundedCalls(Duration.ofMillis(100));

    @AfterEach
    void close() {
        calls.close();
    }

    @Test
    void whatIsReturnedInTimeIsReturned() throws Exception {
        assertThat(calls.make(() -> "an answer")).isEqualTo("an answer");
    }

    @Test
    void aCallThatDoesNotEndIsGivenUpAndInterrupted() throws Exception {
        var interrupted = new CountDownLatch(1);
        assertThatThrownBy(() ->
                        calls.make(() -> {
                            try {
                                new CountDownLatch(1).await();
                            } catch (InterruptedException told) {
                                interrupted.countDown();
                            }
                            return "too late";
                        }))
                .isInstanceOfSatisfying(
                        BoundedCalls.NoAnswer.class,
                        late -> assertThat(ApiFault.of(late)).isEqualTo(ApiFault.PASSING))
                .hasMessage("no answer within 100 ms");
        assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void whatIsThrownIsThrown() {
        var thrown = new KubernetesClientException("no", 409, null);
        assertThatThrownBy(() -> calls.make(() -> fail(thrown))).isSameAs(thrown);
        var bug = new AssertionError("a bug");
        assertThatThrownBy(() -> calls.make(() -> fail(bug))).isSameAs(bug);
        assertThatThrownBy(() -> calls.make(() -> fail(new IOException("broken"))))
                .isInstanceOf(BoundedCalls.NoAnswer.class)
                .hasMessageContaining("broken");
    }

    @Test
    void faultsAreToldByTheirStatus() {
        assertThat(fault(409)).isEqualTo(ApiFault.CONFLICT);
        assertThat(fault(404)).isEqualTo(ApiFault.GONE);
        assertThat(fault(401)).isEqualTo(ApiFault.PASSING);
        assertThat(fault(403)).isEqualTo(ApiFault.FORBIDDEN);
        assertThat(fault(400)).isEqualTo(ApiFault.INVALID);
        assertThat(fault(413)).isEqualTo(ApiFault.INVALID);
        assertThat(fault(422)).isEqualTo(ApiFault.INVALID);
        assertThat(fault(429)).isEqualTo(ApiFault.PASSING);
        assertThat(fault(500)).isEqualTo(ApiFault.PASSING);
        assertThat(fault(0)).isEqualTo(ApiFault.PASSING);
    }

    @Test
    void whatPeopleAreToldIsTheAnswerOrWhyThereWasNone() {
        assertThat(ApiFault.answer(new KubernetesClientException("forbidden", 403, null)))
                .isEqualTo("forbidden");
        assertThat(
                        ApiFault.answer(
                                new KubernetesClientException(
                                        "Operation failed", new IOException("refused"))))
                .isEqualTo("refused");
        assertThat(ApiFault.answer(new IllegalStateException())).isEqualTo("IllegalStateException");
    }

    private static String fail(Throwable thrown) throws Exception {
        switch (thrown) {
            case Exception exception -> throw exception;
            case Error error -> throw error;
            default -> throw new AssertionError(thrown);
        }
    }

    private static ApiFault fault(int code) {
        return ApiFault.of(new KubernetesClientException("failed", code, null));
    }
}
