package dev.sallyport.tls.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;

/** Guesses what a text without the expected PEM block is instead: the usual mistakes have names. */
final class Diagnosis {
    /** How {@code -----BEGIN} begins in base64. */
    private static final byte[] BASE64_OF_BEGIN = "LS0tLS1CRUdJTi".getBytes(US_ASCII);

    private Diagnosis() {}

    /**
     * Advice for the author of {@code text}.
     *
     * @param wanted the label that was looked for, {@code CERTIFICATE} or {@code PRIVATE KEY}
     */
    static String of(byte[] text, String wanted) {
        if (Pem.indexOf(text, BASE64_OF_BEGIN, 0) >= 0) {
            return "Encode the PEM text only once: it is base64 within base64.";
        }
        if (text.length > 1 && text[0] == 0x30 && text[1] < 0) {
            return "Use PEM: this is DER or PKCS#12 (openssl x509, pkey and pkcs12 convert it).";
        }
        if (text.length > 1 && (text[0] == 0 || text[1] == 0 || isUtf16Mark(text))) {
            return "Save the text as UTF-8: this is UTF-16.";
        }
        for (Pem.Block block : Pem.blocks(text)) {
            boolean key = block.label().endsWith("PRIVATE KEY");
            if (key != wanted.equals("PRIVATE KEY")) {
                return key
                        ? "Swap tls.crt and tls.key: this is a private key."
                        : "Put the private key here: this is a " + block.label() + " block.";
            }
        }
        return "Put a PEM text here, with a line -----BEGIN " + wanted + "-----.";
    }

    private static boolean isUtf16Mark(byte[] text) {
        return (text[0] == (byte) 0xfe && text[1] == (byte) 0xff)
                || (text[0] == (byte) 0xff && text[1] == (byte) 0xfe);
    }
}
