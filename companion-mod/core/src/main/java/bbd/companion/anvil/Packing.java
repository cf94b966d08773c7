package bbd.companion.anvil;

/** Indices of a section's blocks in longs: the first in the lowest bits, none across two longs (since 1.16). */
final class Packing {
    static final int BLOCKS = 4096;
    private static final int MIN_BITS = 4;

    private Packing() {}

    static int bits(int paletteSize) {
        return Math.max(MIN_BITS, Integer.SIZE - Integer.numberOfLeadingZeros(paletteSize - 1));
    }

    static int longs(int bits) {
        int each = Long.SIZE / bits;
        return (BLOCKS + each - 1) / each;
    }

    /** The longs' bytes. */
    static byte[] pack(char[] indices, int bits) {
        byte[] longs = new byte[Long.BYTES * longs(bits)];
        int each = Long.SIZE / bits;
        int at = 0;
        for (int i = 0; i < longs.length; i += Long.BYTES) {
            long packed = 0;
            int here = Math.min(each, BLOCKS - at);
            for (int entry = here - 1; entry >= 0; entry--) {
                packed = packed << bits | indices[at + entry];
            }
            LONGS.set(longs, i, packed);
            at += here;
        }
        return longs;
    }

    /** Numbers from {@code table} for the indices in the longs at {@code position}; its size is a power of two. */
    static char[] unpack(byte[] data, int position, int bits, char[] table) {
        char[] numbers = new char[BLOCKS];
        if (bits == Byte.SIZE) {
            for (int i = 0; i < BLOCKS; i += Long.BYTES) {
                long packed = (long) LONGS.get(data, position + i);
                for (int entry = i; entry < i + Long.BYTES; entry++) {
                    numbers[entry] = table[(int) packed & 0xFF];
                    packed >>>= Byte.SIZE;
                }
            }
            return numbers;
        }
        int each = Long.SIZE / bits;
        int mask = (1 << bits) - 1;
        int at = 0;
        for (int i = position; at < BLOCKS; i += Long.BYTES) {
            long packed = (long) LONGS.get(data, i);
            int end = Math.min(at + each, BLOCKS);
            while (at < end) {
                numbers[at++] = table[(int) packed & mask];
                packed >>>= bits;
            }
        }
        return numbers;
    }

    /** Whether {@link #unpack} would give these numbers; it stops at the first other one. */
    static boolean isSame(byte[] data, int position, int bits, char[] table, char[] numbers) {
        if (bits == Byte.SIZE) {
            for (int i = 0; i < BLOCKS; i++) {
                if (numbers[i] != table[data[position + (i ^ 7)] & 0xFF]) {
                    return false;
                }
            }
            return true;
        }
        return java.util.Arrays.equals(unpack(data, position, bits, table), numbers);
    }

    private static final java.lang.invoke.VarHandle LONGS = java.lang.invoke.MethodHandles
            .byteArrayViewVarHandle(long[].class, java.nio.ByteOrder.BIG_ENDIAN);
}
