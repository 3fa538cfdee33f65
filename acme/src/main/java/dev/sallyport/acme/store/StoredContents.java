package dev.sallyport.acme.store;

import dev.sallyport.acme.store.FieldText.Malformed;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import java.util.Arrays;

/**
 * What is stored, as bytes with a checksum, and back: for stores that keep it elsewhere than in a
 * directory. The bytes hold keys: whoever has them wipes them.
 */
public final class StoredContents {
    private StoredContents() {}

    /** An account's bytes. */
    public static byte[] of(StoredAccount account) {
        return write(StoredForms.of(account));
    }

    /** An order's bytes. */
    public static byte[] of(StoredOrder order) {
        return write(StoredForms.of(order));
    }

    /** A certificate's bytes. */
    public static byte[] of(StoredCertificate certificate) {
        return write(StoredForms.of(certificate));
    }

    /** A memory's bytes. */
    public static byte[] of(StoredMemory memory) {
        return write(StoredForms.of(memory));
    }

    /**
     * The account that bytes hold; they are wiped.
     *
     * @param origin what is said to be damaged where they hold none
     */
    public static Parsed<StoredAccount> account(ObjectRef origin, byte[] contents) {
        return read(origin, contents, StoredForms::account);
    }

    /** The order that bytes hold; they are wiped. */
    public static Parsed<StoredOrder> order(ObjectRef origin, byte[] contents) {
        return read(origin, contents, StoredForms::order);
    }

    /** The certificate that bytes hold; they are wiped. */
    public static Parsed<StoredCertificate> certificate(ObjectRef origin, byte[] contents) {
        return read(origin, contents, StoredForms::certificate);
    }

    /** The memory that bytes hold; they are wiped. */
    public static Parsed<StoredMemory> memory(ObjectRef origin, byte[] contents) {
        return read(origin, contents, StoredForms::memory);
    }

    /** What a text's fields mean. */
    private interface Form<T> {
        T of(FieldText text) throws Malformed;
    }

    private static byte[] write(FieldText text) {
        try {
            return text.write();
        } finally {
            text.wipe();
        }
    }

    private static <T> Parsed<T> read(ObjectRef origin, byte[] contents, Form<T> form) {
        try {
            FieldText text = FieldText.read(contents);
            try {
                return Parsed.usable(form.of(text));
            } finally {
                text.wipe();
            }
        } catch (Malformed why) {
            return Parsed.rejected(
                    Finding.of(
                            Reason.ACME_STATE_DAMAGED,
                            origin,
                            origin + ": " + why.getMessage(),
                            "Restore it from a backup, or delete it: a certificate or order is"
                                    + " then made anew, an account registered anew."));
        } finally {
            Arrays.fill(contents, (byte) 0);
        }
    }
}
