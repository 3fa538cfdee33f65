package dev.sallyport.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AcceptTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "Application/JSON;q=0.5",
                "application/json, text/plain, */*",
                "text/html, application/json;charset=utf-8;q=0.9",
                "application/json;q=0.001",
                "application/json;q=0.8, text/*, text/plain;q=0.1",
            })
    void jsonIsAskedFor(String field) {
        assertThat(Accept.wantsJson(List.of(field))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "*/*",
                "application/*",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "application/json;q=0",
                "application/json;q=0.000, */*",
                "application/json;q=2",
                "application/json;q=abc",
                "application/json;q=",
                "application/json;q=0.5, text/plain",
                "application/json;q=0.5, text/*;q=0.6",
                "application/jsonp",
                "text/x; a=\"application/json\"",
            })
    void jsonIsNotAskedFor(String field) {
        assertThat(Accept.wantsJson(List.of(field))).isFalse();
    }

    @Test
    void fieldsAreOneList() {
        assertThat(Accept.wantsJson(List.of("text/html", "application/json"))).isTrue();
        assertThat(Accept.wantsJson(List.of("text/plain", "application/json;q=0.1"))).isFalse();
    }
}
