package dev.sallyport.proxy.http2;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.ProxySettings;
import dev.sallyport.proxy.filter.FieldSyntax;
import dev.sallyport.proxy.http.RequestHead;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Header blocks that are nearly right: whatever is taken for a request is one. */
final class RequestFieldsFuzzTest {
    private static final List<String> NAMES =
            List.of(
                    ":method",
                    ":scheme",
                    ":path",
                    ":authority",
                    ":protocol",
                    ":status",
                    "host",
                    "cookie",
                    "te",
                    "expect",
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "keep-alive",
                    "upgrade",
                    "proxy-connection",
                    "accept",
                    "a",
                    "A",
                    "",
                    ":",
                    "a b",
                    "a\0",
                    "\u00e4",
                    "x-forwarded-for");
    private static final List<String> VALUES =
            List.of(
                    "GET",
                    "POST",
                    "CONNECT",
                    "OPTIONS",
                    "http",
                    "https",
                    "/",
                    "/a?b",
                    "*",
                    "/../a",
                    "a",
                    "b",
                    "a:80",
                    "websocket",
                    "trailers",
                    "100-continue",
                    "5",
                    "05",
                    "-1",
                    "chunked",
                    "",
                    " a",
                    "a ",
                    "a\r\nb",
                    "a\0",
                    "\u00e4",
                    "a\tb",
                    "9999999999999999999");
    private static final Set<String> OF_ONE_CONNECTION =
            Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

    @Test
    void whatIsTakenForARequestIsOne() {
        SplittableRandom random = new SplittableRandom(6);
        RequestReader reader =
                new RequestReader(
                        ProxySettings.DEFAULT,
                        TestServer.client(new io.netty.channel.embedded.EmbeddedChannel()));
        int requests = 0;
        for (int i = 0; i < 100_000; i++) {
            List<String> fields = fields(random);
            RequestFields block = new RequestFields(ProxySettings.Limits.DEFAULT);
            for (int f = 0; f < fields.size(); f += 2) {
                block.add(ascii(fields.get(f)), ascii(fields.get(f + 1)));
            }
            if (reader.read(block, random.nextBoolean()) instanceof Reading.Request(var head)) {
                requests++;
                assertThat(isSound(head)).as(() -> fields.toString()).isTrue();
            }
        }
        assertThat(requests).isGreaterThan(5_000);
    }

    private static boolean isSound(RequestHead head) {
        boolean sound =
                RequestHead.isMethod(head.method())
                        && !RequestHead.isRefused(head.method())
                        && head.headers().getAll("content-length").size() <= 1
                        && head.headers().getAll("cookie").size() <= 1
                        && !head.headers().contains("host");
        for (Map.Entry<String, String> field : head.headers()) {
            sound &=
                    FieldSyntax.isName(field.getKey())
                            && FieldSyntax.isValue(field.getValue())
                            && field.getKey().chars().noneMatch(Character::isUpperCase)
                            && !OF_ONE_CONNECTION.contains(field.getKey());
        }
        return sound;
    }

    /** A request, mostly, with fields added, changed and taken away. */
    private static List<String> fields(SplittableRandom random) {
        List<String> fields =
                new ArrayList<>(
                        List.of(
                                ":method",
                                "GET",
                                ":scheme",
                                "http",
                                ":path",
                                "/",
                                ":authority",
                                "a"));
        for (int more = random.nextInt(4); more > 0; more--) {
            int at =
                    random.nextInt(3) > 0
                            ? fields.size()
                            : 2 * random.nextInt(fields.size() / 2 + 1);
            fields.add(at, VALUES.get(random.nextInt(VALUES.size())));
            fields.add(at, NAMES.get(random.nextInt(NAMES.size())));
        }
        if (random.nextInt(4) == 0) {
            int at = 2 * random.nextInt(fields.size() / 2);
            fields.remove(at);
            fields.remove(at);
        }
        if (random.nextInt(2) == 0 && !fields.isEmpty()) {
            int at = 2 * random.nextInt(fields.size() / 2);
            fields.set(at + 1, VALUES.get(random.nextInt(VALUES.size())));
        }
        return fields;
    }

    private static AsciiString ascii(String latin1) {
        return new AsciiString(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }
}
