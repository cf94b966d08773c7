package bbd.companion.anvil;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * NBT (big-endian, as on disk) as it lies in its bytes: tags are found and walked over, and what is not understood is
 * kept as it is. Every method throws {@link UnreadableChunk} for bytes that are no NBT.
 */
final class Nbt {
    static final int END = 0;
    static final int BYTE = 1;
    static final int INT = 3;
    static final int LONG = 4;
    static final int BYTE_ARRAY = 7;
    static final int STRING = 8;
    static final int LIST = 9;
    static final int COMPOUND = 10;
    static final int INT_ARRAY = 11;
    static final int LONG_ARRAY = 12;
    private static final int[] SIZES = {0, 1, 2, 4, 8, 4, 8};
    private static final int MAX_DEPTH = 512;

    final byte[] data;
    final int size;
    private final Known known;

    /** {@code known} saves walking through lists that were met before. */
    Nbt(Content content, Known known) {
        this.data = content.data();
        this.size = content.size();
        this.known = known;
    }

    /** Tells lists of compounds by their bytes. */
    interface Known {
        /** Where the {@code count} compounds that begin at {@code position} end; -1 where nobody knows. */
        int end(byte[] data, int position, int count);
    }

    /** A tag of a compound: its type, name, and where it, its payload and its end are. */
    record Tag(int type, String name, int start, int payload, int end) {}

    /** The tags of the compound whose payload begins at {@code position}. */
    List<Tag> compound(int position) throws UnreadableChunk {
        List<Tag> found = new ArrayList<>();
        int at = position;
        while (type(at) != END) {
            int payload = at + 3 + unsignedShort(at + 1);
            need(payload, 0);
            Tag tag = new Tag(type(at), text(at + 1), at, payload, skip(type(at), payload, 0));
            found.add(tag);
            at = tag.end;
        }
        return found;
    }

    /** The end of the compound whose payload begins at {@code position}. */
    int endOfCompound(int position) throws UnreadableChunk {
        return skip(COMPOUND, position, 0);
    }

    static Tag named(List<Tag> tags, String name, int type) {
        for (Tag tag : tags) {
            if (tag.type == type && tag.name.equals(name)) {
                return tag;
            }
        }
        return null;
    }

    /** Where the items of a list of {@code type} begin; its items follow one another. An empty list has any type. */
    int items(Tag list, int type) throws UnreadableChunk {
        if (list.type != LIST || length(list.payload + 1) > 0 && type(list.payload) != type) {
            throw new UnreadableChunk("its " + list.name + " are no list of the right type");
        }
        return list.payload + 5;
    }

    int count(Tag list) throws UnreadableChunk {
        return length(list.payload + 1);
    }

    byte[] bytes(Tag tag) {
        return java.util.Arrays.copyOfRange(data, tag.start, tag.end);
    }

    /** A whole number of any size, else null. */
    Long number(Tag tag) throws UnreadableChunk {
        if (tag == null || tag.type < BYTE || tag.type > LONG) {
            return null;
        }
        need(tag.payload, SIZES[tag.type]);
        long value = data[tag.payload];
        for (int i = 1; i < SIZES[tag.type]; i++) {
            value = value << 8 | data[tag.payload + i] & 0xFF;
        }
        return value;
    }

    /** The string whose length stands at {@code position}. Names of blocks and tags are ASCII. */
    String text(int position) throws UnreadableChunk {
        int length = unsignedShort(position);
        need(position + 2, length);
        return new String(data, position + 2, length, StandardCharsets.UTF_8);
    }

    int skip(int type, int position, int depth) throws UnreadableChunk {
        if (depth > MAX_DEPTH) {
            throw new UnreadableChunk("its NBT is too deep");
        }
        if (type < SIZES.length && type > END) {
            return need(position, SIZES[type]);
        }
        return switch (type) {
            case BYTE_ARRAY -> need(position + 4, length(position));
            case INT_ARRAY -> need(position + 4, 4L * length(position));
            case LONG_ARRAY -> need(position + 4, 8L * length(position));
            case STRING -> need(position + 2, unsignedShort(position));
            case LIST -> skipList(position, depth);
            case COMPOUND -> skipCompound(position, depth);
            default -> throw new UnreadableChunk("its NBT has a tag of type " + type);
        };
    }

    private int skipList(int position, int depth) throws UnreadableChunk {
        int type = type(position);
        int count = length(position + 1);
        int at = position + 5;
        if (type == END) {
            return at;
        }
        if (type < SIZES.length) {
            return need(at, (long) SIZES[type] * count);
        }
        int end = type == COMPOUND ? known.end(data, at, count) : -1;
        if (end >= 0) {
            return need(end, 0);
        }
        for (int i = 0; i < count; i++) {
            at = skip(type, at, depth + 1);
        }
        return at;
    }

    private int skipCompound(int position, int depth) throws UnreadableChunk {
        int at = position;
        while (true) {
            int type = type(at);
            if (type == END) {
                return at + 1;
            }
            at = skip(type, at + 3 + unsignedShort(at + 1), depth + 1);
        }
    }

    int type(int position) throws UnreadableChunk {
        need(position, 1);
        return data[position] & 0xFF;
    }

    int length(int position) throws UnreadableChunk {
        need(position, 4);
        int length = (data[position] & 0xFF) << 24 | (data[position + 1] & 0xFF) << 16
                | (data[position + 2] & 0xFF) << 8 | data[position + 3] & 0xFF;
        if (length < 0) {
            throw new UnreadableChunk("its NBT has a negative length");
        }
        return length;
    }

    private int unsignedShort(int position) throws UnreadableChunk {
        need(position, 2);
        return (data[position] & 0xFF) << 8 | data[position + 1] & 0xFF;
    }

    private int need(int position, long size) throws UnreadableChunk {
        if (position < 0 || position + size > this.size) {
            throw new UnreadableChunk("its NBT is cut off");
        }
        return (int) (position + size);
    }
}
