package dev.sallyport.proxy;

import java.util.List;
import java.util.random.RandomGenerator;

/** Messages that are nearly right: what random bytes would never be. */
public final class Mutations {
    private static final List<String> SCRAPS =
            List.of(
                    "\r\n",
                    "\n",
                    "\r",
                    "\r\n\r\n",
                    " ",
                    "\t",
                    ":",
                    ";",
                    ",",
                    "\0",
                    "\u007f",
                    "\u00e4",
                    "0\r\n\r\n",
                    "1\r\nx\r\n",
                    "5;a=\"b\"\r\nhello\r\n",
                    "fffffffffffffffff\r\n",
                    "Content-Length: 5\r\n",
                    "Content-Length: +5\r\n",
                    "Content-Length: 5, 5\r\n",
                    "content-length : 1\r\n",
                    "Transfer-Encoding: chunked\r\n",
                    "Transfer-Encoding: gzip, chunked\r\n",
                    "Transfer-Encoding:\u000bchunked\r\n",
                    "Connection: close\r\n",
                    "Connection: upgrade\r\nUpgrade: websocket\r\n",
                    "Host: shop.example\r\n",
                    "Expect: 100-continue\r\n",
                    "A: " + "b".repeat(300) + "\r\n",
                    "/../",
                    "%2e%2E/",
                    "HTTP/1.0",
                    "HTTP/1.1",
                    "GET ",
                    "POST ");

    private Mutations() {}

    /** One of {@code examples}, with some changes. */
    public static String of(List<String> examples, RandomGenerator random) {
        var text = new StringBuilder(pick(examples, random));
        for (int change = random.nextInt(4); change > 0; change--) {
            change(text, examples, random);
        }
        return text.toString();
    }

    private static void change(StringBuilder text, List<String> examples, RandomGenerator random) {
        int at = random.nextInt(text.length() + 1);
        int to = Math.min(text.length(), at + 1 + random.nextInt(8));
        switch (random.nextInt(7)) {
            case 0 -> text.insert(at, pick(SCRAPS, random));
            case 1 -> text.replace(at, to, pick(SCRAPS, random));
            case 2 -> text.delete(at, to);
            case 3 -> text.insert(at, text.substring(at, to));
            case 4 -> text.insert(at, (char) random.nextInt(256));
            case 5 -> text.insert(afterLine(text, at), pick(SCRAPS, random));
            default -> text.append(pick(examples, random));
        }
    }

    private static int afterLine(StringBuilder text, int from) {
        int end = text.indexOf("\r\n", from);
        return end < 0 ? text.length() : end + 2;
    }

    /** Where to cut {@code length} bytes, at least once if there are two. */
    public static int[] cuts(int length, RandomGenerator random) {
        if (length < 2) {
            return new int[0];
        }
        return random.ints(1 + random.nextInt(6), 1, length).sorted().distinct().toArray();
    }

    private static String pick(List<String> from, RandomGenerator random) {
        return from.get(random.nextInt(from.size()));
    }
}
