package dev.sallyport.control.stored;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.certificate.CertificateBundle;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import dev.sallyport.model.name.ObjectVersion;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads what {@link StateWriter} wrote, the frames side by side: all of it or nothing. What the
 * seal vouches for and this version still cannot read (it is of another one) is left out and told.
 */
final class StateReader {
    /** What the objects of one frame may come to. */
    private static final int MOST_INFLATED = 64 << 20;

    private StateReader() {}

    /** What one frame holds. */
    private record Part(
            List<Resource> objects, List<StoredCertificate> certificates, List<Finding> findings) {}

    /**
     * Reads to the end.
     *
     * @param parsers the caller waits for it
     * @throws Refused where anything of the file is not as it was written
     */
    static StoredState read(SealedReader in, Executor parsers) throws IOException, Refused {
        List<CompletableFuture<Part>> parts = new ArrayList<>();
        for (byte[] frame = in.next(); frame != null; frame = in.next()) {
            byte[] read = frame;
            parts.add(CompletableFuture.supplyAsync(() -> part(read), parsers));
        }
        List<Resource> objects = new ArrayList<>();
        List<StoredCertificate> certificates = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        for (CompletableFuture<Part> future : parts) {
            Part part = future.join();
            objects.addAll(part.objects());
            certificates.addAll(part.certificates());
            findings.addAll(part.findings());
        }
        return new StoredState(in.header().asOf(), objects, certificates, findings);
    }

    private static Part part(byte[] frame) {
        var part = new Part(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        ByteBuffer in = ByteBuffer.wrap(frame);
        try {
            switch (in.get()) {
                case StateWriter.OBJECTS -> objects(inflated(in), part);
                case StateWriter.CERTIFICATES -> {
                    while (in.hasRemaining()) {
                        certificate(in, part);
                    }
                }
                default -> part.findings().add(unreadable(LastKnownGood.REF));
            }
        } catch (BufferUnderflowException | DataFormatException ofAnotherVersion) {
            part.findings().add(unreadable(LastKnownGood.REF));
        } finally {
            Arrays.fill(frame, (byte) 0);
        }
        return part;
    }

    private static void objects(byte[] lines, Part part) {
        int from = 0;
        for (int i = 0; i < lines.length; i++) {
            if (lines[i] == '\n') {
                ObjectJson.read(lines, from, i)
                        .ifPresentOrElse(
                                part.objects()::add,
                                () -> part.findings().add(unreadable(LastKnownGood.REF)));
                from = i + 1;
            }
        }
    }

    private static byte[] inflated(ByteBuffer in) throws DataFormatException {
        int length = in.getInt();
        if (length < 0 || length > MOST_INFLATED) {
            throw new DataFormatException();
        }
        byte[] lines = new byte[length];
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(in);
            int done = 0;
            while (done < length) {
                int more = inflater.inflate(lines, done, length - done);
                if (more == 0) {
                    throw new DataFormatException();
                }
                done += more;
            }
            return lines;
        } finally {
            inflater.end();
        }
    }

    private static void certificate(ByteBuffer in, Part part) {
        var secret = new ObjectRef("Secret", text(in), text(in));
        var version = new ObjectVersion(text(in), text(in));
        String digest = text(in);
        byte[] pkcs8 = bytes(in);
        try {
            int count = in.getInt();
            List<byte[]> chain = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                chain.add(bytes(in));
            }
            part.certificates()
                    .add(
                            new StoredCertificate(
                                    secret,
                                    version,
                                    digest,
                                    CertificateBundle.ofProven(chain, pkcs8)));
        } catch (GeneralSecurityException ofAnotherVersion) {
            part.findings().add(unreadable(secret));
        } finally {
            Arrays.fill(pkcs8, (byte) 0);
        }
    }

    private static String text(ByteBuffer in) {
        return new String(bytes(in), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static Finding unreadable(ObjectRef ref) {
        return Finding.of(
                Reason.STORED_STATE_REFUSED,
                ref,
                "a part of the stored state cannot be read by this version; it is left out",
                "Wait for the API server: what it says replaces the stored state.");
    }
}
