package dev.sallyport.bench.load;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** {@code MakeFolder FOLDER STAGING HOSTS}: makes a folder of so many hosts. */
public final class MakeFolder {
    private MakeFolder() {}

    /** See the class comment. */
    public static void main(String[] args) throws IOException {
        var folder = new Folder(Path.of(args[0]), Path.of(args[1]), InstantSource.system());
        int hosts = Integer.parseInt(args[2]);
        for (int i = 0; i < hosts; i++) {
            folder.secret(i, folder.issue(i)).move();
            folder.ingress(i, "/1k").move();
        }
    }
}
