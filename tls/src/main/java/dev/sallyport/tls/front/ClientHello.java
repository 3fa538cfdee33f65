package dev.sallyport.tls.front;

import dev.sallyport.model.name.Hostname;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a ClientHello the gateway decides by. Read strictly: what does not parse is refused,
 * never guessed, and never served by a default.
 *
 * @param writtenName the server name as it stands there; null without one
 * @param serverName the name to look up, normalised; null without one, and where the client sent an
 *     IP address. RFC 6066 section 3 does not permit addresses, but clients send them: they are
 *     served as if they had sent no name
 * @param protocols the ALPN offer, in the client's order; null without one
 */
record ClientHello(
        @Nullable String writtenName,
        @Nullable String serverName,
        @Nullable List<String> protocols) {

    private static final int SERVER_NAME = 0;
    private static final int APPLICATION_PROTOCOLS = 16;
    private static final int HOST_NAME = 0;
    private static final int VERSION_AND_RANDOM = 2 + 32;
    private static final int LONGEST_WRITTEN = Hostname.MAX_LENGTH + 1; // with its trailing dot
    private static final Reading UNKNOWN =
            new Reading.Refused(HandshakeFailure.NAME_UNKNOWN, Alert.UNRECOGNIZED_NAME);

    /** What became of the bytes. */
    sealed interface Reading {
        /** A ClientHello. */
        record Read(ClientHello hello) implements Reading {}

        /** Bytes to be refused. */
        record Refused(HandshakeFailure reason, Alert alert) implements Reading {}
    }

    /**
     * Reads a ClientHello.
     *
     * @param body the message without its four byte header; its indices are not moved
     */
    static Reading read(ByteBuf body) {
        try {
            return readFields(body.slice());
        } catch (IndexOutOfBoundsException lengthsDoNotFit) {
            // The one sign of a field that ends before it says; ByteBuf checks every access.
            return malformed();
        }
    }

    private static Reading readFields(ByteBuf in) {
        in.skipBytes(VERSION_AND_RANDOM);
        in.skipBytes(in.readUnsignedByte()); // session id
        in.skipBytes(in.readUnsignedShort()); // cipher suites
        in.skipBytes(in.readUnsignedByte()); // compression methods
        @Nullable String name = null;
        @Nullable List<String> protocols = null;
        if (in.isReadable()) {
            ByteBuf extensions = in.readSlice(in.readUnsignedShort());
            if (in.isReadable()) {
                return malformed();
            }
            while (extensions.isReadable()) {
                int type = extensions.readUnsignedShort();
                ByteBuf data = extensions.readSlice(extensions.readUnsignedShort());
                if (type == SERVER_NAME) {
                    if (name != null) {
                        return new Reading.Refused(
                                HandshakeFailure.HELLO_MALFORMED, Alert.ILLEGAL_PARAMETER);
                    }
                    name = hostName(data);
                    if (name == null) {
                        return malformed();
                    }
                } else if (type == APPLICATION_PROTOCOLS) {
                    if (protocols != null) {
                        return new Reading.Refused(
                                HandshakeFailure.HELLO_MALFORMED, Alert.ILLEGAL_PARAMETER);
                    }
                    protocols = protocols(data);
                    if (protocols == null) {
                        return malformed();
                    }
                }
            }
        }
        return named(name, protocols);
    }

    /** Null where malformed. One name of the one type that there is, as BoringSSL has it. */
    private static @Nullable String hostName(ByteBuf data) {
        ByteBuf list = data.readSlice(data.readUnsignedShort());
        if (data.isReadable() || list.readUnsignedByte() != HOST_NAME) {
            return null;
        }
        // One character a byte, so that what is no name is seen as it is.
        String name = list.readString(list.readUnsignedShort(), StandardCharsets.ISO_8859_1);
        return name.isEmpty() || list.isReadable() ? null : name;
    }

    /** Null where malformed: RFC 7301 section 3.1 allows neither empty lists nor empty names. */
    private static @Nullable List<String> protocols(ByteBuf data) {
        ByteBuf list = data.readSlice(data.readUnsignedShort());
        if (data.isReadable() || !list.isReadable()) {
            return null;
        }
        List<String> names = new ArrayList<>(2);
        while (list.isReadable()) {
            int length = list.readUnsignedByte();
            if (length == 0) {
                return null;
            }
            names.add(list.readString(length, StandardCharsets.ISO_8859_1));
        }
        return names;
    }

    private static Reading named(@Nullable String name, @Nullable List<String> protocols) {
        if (name == null) {
            return new Reading.Read(new ClientHello(null, null, protocols));
        }
        if (name.length() > LONGEST_WRITTEN) {
            return UNKNOWN; // before any work that grows with it
        }
        String normalised = Hostname.normalise(name);
        if (isAddress(normalised)) {
            return new Reading.Read(new ClientHello(name, null, protocols));
        }
        if (normalised.length() > Hostname.MAX_LENGTH
                || !name.chars().allMatch(ClientHello::isNameCharacter)) {
            return UNKNOWN;
        }
        return new Reading.Read(new ClientHello(name, normalised, protocols));
    }

    /** Letters, digits, '.', '-' and '_': no certificate can be for a name with anything else. */
    private static boolean isNameCharacter(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '.'
                || c == '-'
                || c == '_';
    }

    /** Whether it is an IPv6 address, or ends in a number as only IPv4 addresses do. */
    private static boolean isAddress(String name) {
        boolean colon = false;
        boolean hexadecimal = true;
        boolean lastLabelIsNumber = true;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            colon |= c == ':';
            hexadecimal &= c == ':' || c == '.' || HexFormat.isHexDigit(c);
            lastLabelIsNumber = c == '.' || (lastLabelIsNumber && c >= '0' && c <= '9');
        }
        return colon ? hexadecimal : (lastLabelIsNumber && !name.endsWith("."));
    }

    private static Reading malformed() {
        return new Reading.Refused(HandshakeFailure.HELLO_MALFORMED, Alert.DECODE_ERROR);
    }
}
