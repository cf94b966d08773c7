package bbd.companion.minestom;

import bbd.companion.blocks.BlockStates;
import net.minestom.server.instance.palette.Palette;

/** Puts whole sections into Minestom's palettes: one pass, instead of one call a block. */
final class SectionPalette {
    private static final int BLOCKS = 4096;
    private static final int LEAST_BITS = 4;

    private SectionPalette() {}

    /** {@code blocks}: state numbers in the game's order, or null for air all over. */
    static void fill(Palette palette, char[] blocks) {
        if (blocks == null) {
            palette.fill(0);
            return;
        }
        int[] kinds = new int[BLOCKS];
        short[] places = new short[BLOCKS];
        int count = index(blocks, kinds, places);
        if (count == 1) {
            palette.fill(kinds[0]);
        } else {
            palette.load(java.util.Arrays.copyOf(kinds, count), packed(places, bits(count)));
        }
    }

    /** Which states there are, and which one each block is; returns how many. */
    private static int index(char[] blocks, int[] kinds, short[] places) {
        short[] placeOf = new short[1 << Character.SIZE];
        int count = 0;
        for (int i = 0; i < BLOCKS; i++) {
            char block = blocks[i];
            if (placeOf[block] == 0) {
                kinds[count++] = block == BlockStates.UNKNOWN ? MinestomStates.STAND_IN : block;
                placeOf[block] = (short) count;
            }
            places[i] = (short) (placeOf[block] - 1);
        }
        return count;
    }

    private static int bits(int count) {
        return Math.max(LEAST_BITS, Integer.SIZE - Integer.numberOfLeadingZeros(count - 1));
    }

    private static long[] packed(short[] places, int bits) {
        int perLong = Long.SIZE / bits;
        long[] longs = new long[(BLOCKS + perLong - 1) / perLong];
        int at = 0;
        for (int i = 0; i < longs.length; i++) {
            long packed = 0;
            for (int shift = 0; shift <= Long.SIZE - bits && at < BLOCKS; shift += bits) {
                packed |= (long) places[at++] << shift;
            }
            longs[i] = packed;
        }
        return longs;
    }
}
