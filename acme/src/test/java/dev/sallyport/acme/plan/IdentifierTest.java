package dev.sallyport.acme.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentifierTest {
    @ParameterizedTest
    @CsvSource({
        "Shop.EXAMPLE,shop.example",
        "*.shop.example,*.shop.example",
        "192.0.2.1,192.0.2.1",
        "2001:DB8:0:0:0:0:0:1,2001:db8::1",
        "2001:db8:0:1:1:1:1:1,2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1,2001:0:0:1::1",
        "::1,::1",
        "fe80::,fe80::",
        "::,::",
    })
    void isWrittenAsTheStandardsHaveIt(String written, String text) {
        assertThat(Identifier.parse(written).text()).isEqualTo(text);
    }

    @Test
    void whatIsNeitherNameNorAddressIsRefused() {
        assertThatThrownBy(() -> Identifier.parse("127.1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("127.1");
    }

    @Test
    void theSameNamesInAnotherOrderAreTheSameOrder() {
        var one =
                CertificateOrder.of(
                        List.of(Identifier.parse("b.example"), Identifier.parse("a.example")),
                        KeyAlgorithm.EC_P256);
        var other =
                CertificateOrder.of(
                        List.of(
                                Identifier.parse("a.example"),
                                Identifier.parse("B.example"),
                                Identifier.parse("b.example.")),
                        KeyAlgorithm.EC_P256);
        assertThat(one).isEqualTo(other).hasToString("a.example,b.example (ec-p256)");
    }

    @ParameterizedTest
    @CsvSource({
        "a.b.shop.example,shop.example",
        "*.shop.example,shop.example",
        "shop.example,shop.example",
        "www.shop.co.uk,shop.co.uk",
        "co.uk,co.uk",
        "localhost,localhost",
        "192.0.2.1,192.0.2.1",
    })
    void registeredDomainsAreToldByShape(String name, String domain) {
        assertThat(RegisteredDomain.of(Identifier.parse(name))).isEqualTo(domain);
    }
}
