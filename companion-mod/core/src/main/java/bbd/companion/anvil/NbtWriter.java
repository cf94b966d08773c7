package bbd.companion.anvil;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes NBT; remembers which of its bytes are blocks' indices, which no compression makes smaller. */
final class NbtWriter extends ByteArrayOutputStream {
    private final List<Range> dense = new ArrayList<>();

    /** Bytes from {@code start} to before {@code end}. */
    record Range(int start, int end) {}

    NbtWriter(int size) {
        super(size);
    }

    List<Range> dense() {
        return dense;
    }

    NbtWriter raw(byte[] bytes) {
        write(bytes, 0, bytes.length);
        return this;
    }

    NbtWriter head(int type, String name) {
        write(type);
        return string(name);
    }

    NbtWriter string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        write(bytes.length >> 8);
        write(bytes.length);
        return raw(bytes);
    }

    NbtWriter end() {
        write(Nbt.END);
        return this;
    }

    NbtWriter listHead(String name, int type, int count) {
        head(Nbt.LIST, name);
        write(count == 0 ? Nbt.END : type);
        return number(count);
    }

    NbtWriter number(int value) {
        return raw(ByteBuffer.allocate(4).putInt(value).array());
    }

    NbtWriter tag(String name, int value) {
        return head(Nbt.INT, name).number(value);
    }

    NbtWriter tag(String name, long value) {
        return head(Nbt.LONG, name).raw(ByteBuffer.allocate(8).putLong(value).array());
    }

    NbtWriter tag(String name, byte value) {
        head(Nbt.BYTE, name).write(value);
        return this;
    }

    NbtWriter tag(String name, String value) {
        return head(Nbt.STRING, name).string(value);
    }

    NbtWriter tag(String name, long[] longs) {
        head(Nbt.LONG_ARRAY, name).number(longs.length);
        int start = count;
        ByteBuffer bytes = ByteBuffer.allocate(8 * longs.length);
        bytes.asLongBuffer().put(longs);
        raw(bytes.array());
        dense.add(new Range(start, count));
        return this;
    }
}
