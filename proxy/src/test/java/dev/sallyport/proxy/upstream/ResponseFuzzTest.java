package dev.sallyport.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.proxy.Mutations;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.LeakPresenceDetector;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Responses that are nearly right, cut anywhere. */
class ResponseFuzzTest {
    private static final List<String> EXAMPLES =
            List.of(
                    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a=b;c=\"d\"\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n",
                    "HTTP/1.1 200\r\n\r\nuntil the end",
                    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nold",
                    "HTTP/1.1 204 No Content\r\nset-cookie: a=b\r\n\r\n",
                    "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
                    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno",
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nframes");

    @AfterAll
    static void noLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void whereBytesAreCutChangesNothing() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 50_000; i++) {
            String bytes = Mutations.of(EXAMPLES, random);
            boolean head = random.nextInt(8) == 0;
            boolean webSocket = random.nextInt(4) == 0;
            int[] cuts = Mutations.cuts(bytes.length(), random);
            assertThat(events(bytes, cuts, head, webSocket))
                    .as(() -> bytes)
                    .isEqualTo(events(bytes, new int[0], head, webSocket));
        }
    }

    /** Everything the parser finds, with pieces of body put together. */
    private static String events(String bytes, int[] cuts, boolean head, boolean webSocket) {
        var parser = new ResponseParser(600, 6);
        parser.expect(head, webSocket);
        var found = new StringBuilder();
        ByteBuf in = ByteBufAllocator.DEFAULT.buffer(Math.max(1, bytes.length()));
        try {
            int from = 0;
            boolean more = true;
            for (int cut = 0; cut <= cuts.length && more; cut++) {
                int to = cut < cuts.length ? cuts[cut] : bytes.length();
                in.writeBytes(bytes.substring(from, to).getBytes(StandardCharsets.ISO_8859_1));
                from = to;
                more = take(parser, in, found);
            }
        } finally {
            in.release();
        }
        return found.append(parser.persistent()).append(parser.endsWithConnection()).toString();
    }

    private static boolean take(ResponseParser parser, ByteBuf in, StringBuilder found) {
        while (true) {
            ResponseParser.Event event = parser.next(in);
            switch (event) {
                case NEED_MORE -> {
                    return true;
                }
                case INFORMATIONAL, HEAD ->
                        found.append(event)
                                .append(parser.status())
                                .append(parser.contentLength())
                                .append(fields(parser.headers()));
                case DATA -> {
                    ByteBuf data = parser.takeData();
                    found.append(data.toString(StandardCharsets.ISO_8859_1));
                    data.release();
                }
                case TRAILERS -> found.append(event).append(fields(parser.headers()));
                case SWITCHED, BAD -> {
                    found.append(event).append(parser.problem());
                    return false;
                }
            }
            if (parser.ended()) {
                found.append("ended");
                return false; // what follows is nobody's
            }
        }
    }

    private static String fields(HttpHeaders headers) {
        var text = new StringBuilder();
        for (Map.Entry<String, String> field : headers) {
            text.append(field.getKey()).append(": ").append(field.getValue()).append('\n');
        }
        return text.toString();
    }
}
