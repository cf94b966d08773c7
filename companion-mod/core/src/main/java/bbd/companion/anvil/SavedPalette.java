package bbd.companion.anvil;

/** A palette as sections are saved with it: states by their numbers, and the NBT that tells them. */
final class SavedPalette {
    private static final char NOWHERE = 0xFFFF;

    private final int count;
    private final SharedBytes entries;
    private final byte[] last;
    private final char[] places;

    private SavedPalette(int count, SharedBytes entries, byte[] last, char[] places) {
        this.count = count;
        this.entries = entries;
        this.last = last;
        this.places = places;
    }

    /** {@code entries}: the compounds of all states but the last one's, {@code last}, where that is not empty. */
    static SavedPalette of(char[] states, SharedBytes entries, byte[] last) {
        char[] places = new char[1 << Character.SIZE];
        java.util.Arrays.fill(places, NOWHERE);
        for (char i = 0; i < states.length; i++) {
            places[states[i]] = i;
        }
        return new SavedPalette(states.length, entries, last, places);
    }

    /** Writes {@code block_states}' content for a section; false, and nothing, where a block is not in the palette. */
    boolean write(NbtWriter out, char[] blocks) {
        int bits = Packing.bits(count);
        byte[] packed = bits == Byte.SIZE ? bytes(blocks) : packed(blocks, bits);
        if (packed == null) {
            return false;
        }
        out.listHead("palette", Nbt.COMPOUND, count).shared(entries).raw(last).longs("data", packed);
        return true;
    }

    private byte[] bytes(char[] blocks) {
        byte[] packed = new byte[Packing.BLOCKS];
        for (int i = 0; i < packed.length; i++) {
            char place = places[blocks[i]];
            if (place == NOWHERE) {
                return null;
            }
            // The first of eight is the lowest byte of a big-endian long.
            packed[i ^ 7] = (byte) place;
        }
        return packed;
    }

    private byte[] packed(char[] blocks, int bits) {
        char[] indices = new char[Packing.BLOCKS];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = places[blocks[i]];
            if (indices[i] == NOWHERE) {
                return null;
            }
        }
        return Packing.pack(indices, bits);
    }
}
