package dev.sallyport.bench.load;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** {@code MakeFolder FOLDER STAGING HOSTS}: makes a folder of so many hosts. */
public final class MakeFolder {
    /** The gateway reads 100,000 files at most, and 8 MiB of each. */
    private static final int HOSTS_PER_FILE = 100;

    private MakeFolder() {}

    /** See the class comment. */
    public static void main(String[] args) throws IOException {
        var folder = new Folder(Path.of(args[0]), Path.of(args[1]), InstantSource.system());
        int hosts = Integer.parseInt(args[2]);
        for (int i = 0; i < Math.min(hosts, Folder.SINGLE); i++) {
            folder.secret(i, folder.issue(i)).move();
            folder.ingress(i, "/1k").move();
        }
        for (int i = Folder.SINGLE; i < hosts; i += HOSTS_PER_FILE) {
            folder.many(i, Math.min(hosts, i + HOSTS_PER_FILE)).move();
        }
    }
}
