package bbd.companion.anvil;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes NBT; remembers which of its bytes no compression makes smaller, and which stand in other chunks as well. */
final class NbtWriter {
    private byte[] buffer;
    private int size;
    private final List<Mark> marks = new ArrayList<>();

    /** Bytes from {@code start} to before {@code end}: blocks' indices, or, where it is not null, {@code shared}. */
    record Mark(int start, int end, SharedBytes shared) {}

    /** {@code capacity}: so many bytes are expected. */
    NbtWriter(int capacity) {
        buffer = new byte[capacity];
    }

    /** The bytes so far, and more behind them: {@link #size} says how many count. */
    byte[] buffer() {
        return buffer;
    }

    int size() {
        return size;
    }

    /** In the order of their places. */
    List<Mark> marks() {
        return marks;
    }

    byte[] toByteArray() {
        return Arrays.copyOf(buffer, size);
    }

    void write(int value) {
        room(1);
        buffer[size++] = (byte) value;
    }

    void write(byte[] bytes, int start, int count) {
        room(count);
        System.arraycopy(bytes, start, buffer, size, count);
        size += count;
    }

    private void room(int count) {
        if (buffer.length - size < count) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, size + count));
        }
    }

    NbtWriter raw(byte[] bytes) {
        write(bytes, 0, bytes.length);
        return this;
    }

    NbtWriter shared(SharedBytes bytes) {
        marks.add(new Mark(size, size + bytes.raw().length, bytes));
        return raw(bytes.raw());
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

    /** An array of longs as its bytes, of which nothing can be saved. */
    NbtWriter longs(String name, byte[] packed) {
        head(Nbt.LONG_ARRAY, name).number(packed.length / Long.BYTES);
        marks.add(new Mark(size, size + packed.length, null));
        return raw(packed);
    }
}
