package bbd.companion.minestom;

import bbd.companion.blocks.BlockStates;
import net.minestom.server.instance.palette.Palette;

/** Puts whole sections into Minestom's palettes: one pass, instead of one call a block. */
final class SectionPalette {
    private static final int BLOCKS = 4096;
    private static final int LEAST_BITS = 4;
    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    /** A thread's own memory. {@code placeOf} is a state's place in the palette plus 1, 0 between two sections. */
    private static final class Scratch {
        private final int[] kinds = new int[BLOCKS];
        private final short[] places = new short[BLOCKS];
        private final short[] placeOf = new short[1 << Character.SIZE];
    }

    private SectionPalette() {}

    /** {@code blocks}: state numbers in the game's order, or null for air all over. */
    static void fill(Palette palette, char[] blocks) {
        if (blocks == null) {
            palette.fill(0);
            return;
        }
        Scratch scratch = SCRATCH.get();
        int count = index(blocks, scratch);
        if (count == 1) {
            palette.fill(known(scratch.kinds[0]));
        } else {
            int[] kinds = new int[count];
            for (int i = 0; i < count; i++) {
                kinds[i] = known(scratch.kinds[i]);
            }
            palette.load(kinds, packed(scratch.places, bits(count)));
        }
    }

    private static int known(int state) {
        return state == BlockStates.UNKNOWN ? MinestomStates.STAND_IN : state;
    }

    /** Which states there are, and which one each block is; returns how many. */
    private static int index(char[] blocks, Scratch scratch) {
        int[] kinds = scratch.kinds;
        short[] places = scratch.places;
        short[] placeOf = scratch.placeOf;
        int count = 0;
        for (int i = 0; i < BLOCKS; i++) {
            char block = blocks[i];
            int place = placeOf[block];
            if (place == 0) {
                kinds[count++] = block;
                place = count;
                placeOf[block] = (short) place;
            }
            places[i] = (short) (place - 1);
        }
        for (int i = 0; i < count; i++) {
            placeOf[kinds[i]] = 0;
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
