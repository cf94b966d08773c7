package bbd.companion.anvil;

import java.util.Arrays;
import java.util.zip.Adler32;
import java.util.zip.Deflater;

/**
 * Puts a zlib stream (RFC 1950, 1951) together without compressing anything twice: bytes that nothing makes smaller are
 * stored, shared ones are taken as they were compressed once, and where they come again they are a reference back.
 */
final class ZlibStream {
    private static final int HEADER = 0x7801;
    private static final int MOST_STORED = 0xFFFF;
    private static final int MOST_COPIED = 258;
    private static final int LEAST_COPIED = 3;
    /** How far a reference may reach. */
    private static final int WINDOW = 1 << 15;
    /** Other bytes are worth compressing from so many on. */
    private static final int WORTH_IT = 2048;

    private byte[] out;
    private int size;
    private long bits;
    private int waiting;

    private ZlibStream(int expected) {
        out = new byte[expected];
    }

    /** What was written, compressed. */
    static byte[] of(NbtWriter nbt) {
        ZlibStream stream = new ZlibStream(nbt.size() / 2 + 1024);
        stream.bytes(HEADER >> 8, HEADER);
        stream.body(nbt);
        Adler32 sum = new Adler32();
        sum.update(nbt.buffer(), 0, nbt.size());
        stream.end((int) sum.getValue());
        return Arrays.copyOf(stream.out, stream.size);
    }

    private void body(NbtWriter nbt) {
        byte[] from = nbt.buffer();
        SharedBytes last = null;
        int lastAt = 0;
        int done = 0;
        int stored = 0;
        for (NbtWriter.Mark mark : nbt.marks()) {
            if (mark.start() - done >= WORTH_IT) {
                stored(from, stored, done);
                deflated(SharedBytes.deflate(from, done, mark.start() - done, Deflater.BEST_SPEED));
                stored = mark.start();
            }
            if (mark.shared() != null) {
                stored(from, stored, mark.start());
                if (mark.shared() == last && isInReach(mark, lastAt)) {
                    copied(mark.start() - lastAt, mark.end() - mark.start());
                } else {
                    deflated(mark.shared().deflated());
                }
                last = mark.shared();
                lastAt = mark.start();
                stored = mark.end();
            }
            done = mark.end();
        }
        if (nbt.size() - done >= WORTH_IT) {
            stored(from, stored, done);
            deflated(SharedBytes.deflate(from, done, nbt.size() - done, Deflater.BEST_SPEED));
        } else {
            stored(from, stored, nbt.size());
        }
    }

    private static boolean isInReach(NbtWriter.Mark mark, int before) {
        return mark.start() - before <= WINDOW && mark.end() - mark.start() >= LEAST_COPIED;
    }

    /** Blocks of bytes as they are. */
    private void stored(byte[] from, int start, int end) {
        for (int at = start; at < end; at += MOST_STORED) {
            int count = Math.min(MOST_STORED, end - at);
            storedHead(count);
            room(count);
            System.arraycopy(from, at, out, size, count);
            size += count;
        }
    }

    private void storedHead(int count) {
        put(0, 3);
        put(0, -waiting & 7);
        bytes(count, count >> 8, ~count, ~count >> 8);
    }

    private void deflated(byte[] part) {
        if (waiting > 0) {
            // An empty stored block ends where a byte does.
            storedHead(0);
        }
        room(part.length);
        System.arraycopy(part, 0, out, size, part.length);
        size += part.length;
    }

    /** A block with fixed codes: references to {@code distance} bytes before. */
    private void copied(int distance, int count) {
        put(0b010, 3);
        int rest = count;
        while (rest > 0) {
            int length = Math.min(MOST_COPIED, rest);
            if (rest > length && rest - length < LEAST_COPIED) {
                length -= LEAST_COPIED;
            }
            length(length);
            distance(distance - 1);
            rest -= length;
        }
        put(0, 7);
    }

    private void length(int length) {
        int value = length - LEAST_COPIED;
        int extra = Math.max(0, log(value) - 2);
        int symbol = length == MOST_COPIED ? 285 : 257 + 4 * extra + (value >> extra);
        if (symbol < 280) {
            code(symbol - 256, 7);
        } else {
            code(0b11000000 + symbol - 280, 8);
        }
        put(length == MOST_COPIED ? 0 : value & (1 << extra) - 1, length == MOST_COPIED ? 0 : extra);
    }

    private void distance(int value) {
        int extra = Math.max(0, log(value) - 1);
        code(2 * extra + (value >> extra), 5);
        put(value & (1 << extra) - 1, extra);
    }

    private static int log(int value) {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(value | 1);
    }

    /** A Huffman code: its highest bit comes first. */
    private void code(int code, int count) {
        put(Integer.reverse(code) >>> Integer.SIZE - count, count);
    }

    private void put(int value, int count) {
        bits |= (long) value << waiting;
        waiting += count;
        room(Integer.BYTES);
        while (waiting >= Byte.SIZE) {
            out[size++] = (byte) bits;
            bits >>>= Byte.SIZE;
            waiting -= Byte.SIZE;
        }
    }

    private void end(int sum) {
        // An empty last block with fixed codes.
        put(0b011, 3);
        put(0, 7);
        put(0, -waiting & 7);
        bytes(sum >> 24, sum >> 16, sum >> 8, sum);
    }

    private void bytes(int... values) {
        room(values.length);
        for (int value : values) {
            out[size++] = (byte) value;
        }
    }

    private void room(int count) {
        if (out.length - size < count) {
            out = Arrays.copyOf(out, Math.max(2 * out.length, size + count));
        }
    }
}
