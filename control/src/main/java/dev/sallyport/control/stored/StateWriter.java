package dev.sallyport.control.stored;

import dev.sallyport.control.resource.Resource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;

/**
 * Writes a state as frames of some hundred objects, deflated, and of some certificates. Keys are in
 * byte arrays only, which are wiped. Confined to one thread.
 *
 * <pre>
 * frame       = %x01 length deflated          ; lines of ObjectJson; their length, 4 bytes
 *             / %x02 1*certificate
 * certificate = part part part part part part count *part
 *                                             ; namespace, name, uid, resourceVersion, digest,
 *                                             ; PKCS#8, and as many certificates
 * part        = length bytes                  ; 4 bytes, big-endian
 * </pre>
 */
final class StateWriter {
    static final byte OBJECTS = 1;
    static final byte CERTIFICATES = 2;

    /** At this size a frame is written: small enough to be read side by side. */
    private static final int OBJECT_FRAME = 256 << 10;

    private static final int CERTIFICATE_FRAME = 64 << 10;

    private final SealedWriter out;

    private StateWriter(SealedWriter out) {
        this.out = out;
    }

    /** Writes all of it, and the end. */
    static void write(StoredState state, SealedWriter out) throws IOException {
        var writer = new StateWriter(out);
        writer.objects(state.objects());
        writer.certificates(state.certificates());
        out.end();
    }

    private void objects(List<Resource> objects) throws IOException {
        var lines = new ByteArrayOutputStream(OBJECT_FRAME + (OBJECT_FRAME >> 2));
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            for (Resource object : objects) {
                ObjectJson.append(object, lines);
                if (lines.size() >= OBJECT_FRAME) {
                    frame(lines.toByteArray(), deflater);
                    lines.reset();
                }
            }
            if (lines.size() > 0) {
                frame(lines.toByteArray(), deflater);
            }
        } finally {
            deflater.end();
        }
    }

    private void frame(byte[] lines, Deflater deflater) throws IOException {
        deflater.reset();
        deflater.setInput(lines);
        deflater.finish();
        byte[] frame = new byte[lines.length + lines.length / 1000 + 1024];
        ByteBuffer.wrap(frame).put(OBJECTS).putInt(lines.length);
        int length = 1 + Integer.BYTES;
        while (!deflater.finished()) {
            if (length == frame.length) {
                frame = Arrays.copyOf(frame, 2 * frame.length);
            }
            length += deflater.deflate(frame, length, frame.length - length);
        }
        out.frame(frame, length);
    }

    private void certificates(List<StoredCertificate> certificates) throws IOException {
        int i = 0;
        while (i < certificates.size()) {
            int from = i;
            int length = 1;
            while (i < certificates.size()
                    && (i == from || length + size(certificates.get(i)) <= CERTIFICATE_FRAME)) {
                length += size(certificates.get(i++));
            }
            ByteBuffer frame = ByteBuffer.allocate(length).put(CERTIFICATES);
            try {
                certificates.subList(from, i).forEach(certificate -> put(certificate, frame));
                out.frame(frame.array(), length);
            } finally {
                Arrays.fill(frame.array(), (byte) 0);
            }
        }
    }

    private static int size(StoredCertificate certificate) {
        int size = 7 * Integer.BYTES + certificate.bundle().privateKey().length();
        for (String text : texts(certificate)) {
            size += text.getBytes(StandardCharsets.UTF_8).length;
        }
        for (byte[] der : certificate.bundle().chain()) {
            size += Integer.BYTES + der.length;
        }
        return size;
    }

    private static List<String> texts(StoredCertificate certificate) {
        return List.of(
                certificate.secret().namespace(),
                certificate.secret().name(),
                certificate.version().uid(),
                certificate.version().resourceVersion(),
                certificate.digest());
    }

    private static void put(StoredCertificate certificate, ByteBuffer frame) {
        for (String text : texts(certificate)) {
            put(text.getBytes(StandardCharsets.UTF_8), frame);
        }
        certificate
                .bundle()
                .privateKey()
                .use(pkcs8 -> {
                    put(pkcs8, frame);
                    return true;
                });
        List<byte[]> chain = certificate.bundle().chain();
        frame.putInt(chain.size());
        chain.forEach(der -> put(der, frame));
    }

    private static void put(byte[] part, ByteBuffer frame) {
        frame.putInt(part.length).put(part);
    }
}
