package bbd.companion.anvil;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Reads what {@link ZlibStream} puts together, several times as fast as an inflater does: stored blocks and references
 * are copied, and shared bytes are known by how they were compressed. Any other stream is left to an inflater, which
 * also says what is wrong with one that is broken. The stream's sum is not looked at.
 */
final class StitchedReader {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int STORED = 0;
    private static final int FIXED = 1;
    private static final int END_OF_BLOCK = 256;
    private static final int LONGEST = 28;
    private static final int DISTANCES = 30;

    private final byte[] stream;
    private final List<SharedBytes> shared;
    private final byte[] out;
    private int size;
    /** In bits. */
    private int at;

    /** Deflated blocks begin at byte {@code start} of {@code stream}; {@code out} is room for what they hold. */
    StitchedReader(byte[] stream, int start, List<SharedBytes> shared, byte[] out) {
        this.stream = stream;
        this.shared = shared;
        this.out = out;
        this.at = Byte.SIZE * start;
    }

    /** Whether the stream could be read, to its end, and there was room for it. */
    boolean read() {
        boolean last = false;
        while (!last) {
            int start = at;
            last = bits(1) != 0;
            boolean known = switch (bits(2)) {
                case STORED -> stored();
                case FIXED -> fixed();
                default -> compressed(start);
            };
            if (!known) {
                return false;
            }
        }
        return at <= Byte.SIZE * stream.length;
    }

    /** So many bytes were read. */
    int size() {
        return size;
    }

    /** The byte of the stream where its blocks end. */
    int end() {
        return nextByte();
    }

    private boolean stored() {
        int head = nextByte();
        int start = head + 4;
        if (start > stream.length) {
            return false;
        }
        int count = twoBytes(head);
        if ((count ^ twoBytes(head + 2)) != 0xFFFF || count > stream.length - start || count > out.length - size) {
            return false;
        }
        System.arraycopy(stream, start, out, size, count);
        size += count;
        at = Byte.SIZE * (start + count);
        return true;
    }

    /** The block that begins at bit {@code start}, and those after it that belong to it. */
    private boolean compressed(int start) {
        if (start % Byte.SIZE != 0) {
            return false;
        }
        int first = start / Byte.SIZE;
        for (SharedBytes one : shared) {
            byte[] known = one.deflated();
            int end = first + known.length;
            if (end <= stream.length && Arrays.equals(stream, first, end, known, 0, known.length)) {
                at = Byte.SIZE * end;
                return append(one.raw());
            }
        }
        return false;
    }

    private boolean append(byte[] bytes) {
        if (bytes.length > out.length - size) {
            return false;
        }
        System.arraycopy(bytes, 0, out, size, bytes.length);
        size += bytes.length;
        return true;
    }

    private boolean fixed() {
        while (true) {
            int symbol = symbol();
            if (symbol == END_OF_BLOCK) {
                return true;
            }
            if (symbol < END_OF_BLOCK) {
                if (size == out.length) {
                    return false;
                }
                out[size++] = (byte) symbol;
            } else if (!copied(symbol - END_OF_BLOCK - 1)) {
                return false;
            }
        }
    }

    private int symbol() {
        int code = Integer.reverse(peek(9)) >>> Integer.SIZE - 9;
        if (code < 24 << 2) {
            at += 7;
            return END_OF_BLOCK + (code >> 2);
        }
        if (code < 200 << 1) {
            at += 8;
            return code < 192 << 1 ? (code >> 1) - 48 : 280 + (code >> 1) - 192;
        }
        at += 9;
        return code - 400 + 144;
    }

    private boolean copied(int lengthCode) {
        if (lengthCode > LONGEST) {
            return false;
        }
        int length = lengthCode == LONGEST ? 258 : 3 + value(lengthCode, 4);
        int distanceCode = Integer.reverse(bits(5)) >>> Integer.SIZE - 5;
        if (distanceCode >= DISTANCES) {
            return false;
        }
        int distance = 1 + value(distanceCode, 2);
        if (distance > size || length > out.length - size) {
            return false;
        }
        if (distance >= length) {
            System.arraycopy(out, size - distance, out, size, length);
            size += length;
        } else {
            for (int end = size + length; size < end; size++) {
                out[size] = out[size - distance];
            }
        }
        return true;
    }

    /** What a code means with the bits after it, where {@code each} codes have as many of them, and the first 2 ·
     * {@code each} none. */
    private int value(int code, int each) {
        int extra = Math.max(0, code / each - 1);
        return extra == 0 ? code : (each + code % each << extra) + bits(extra);
    }

    private int nextByte() {
        return at + Byte.SIZE - 1 >> 3;
    }

    private int twoBytes(int position) {
        return stream[position] & 0xFF | (stream[position + 1] & 0xFF) << Byte.SIZE;
    }

    private int bits(int count) {
        int bits = peek(count);
        at += count;
        return bits;
    }

    /** The next bits; behind the stream there are zeros, which end a block and then are none. */
    private int peek(int count) {
        int first = at >> 3;
        long bits = 0;
        if (first + Long.BYTES <= stream.length) {
            bits = (long) LONGS.get(stream, first);
        } else {
            for (int i = Math.min(stream.length, first + 4) - 1; i >= first; i--) {
                bits = bits << Byte.SIZE | stream[i] & 0xFF;
            }
        }
        return (int) (bits >>> (at & 7)) & (1 << count) - 1;
    }
}
