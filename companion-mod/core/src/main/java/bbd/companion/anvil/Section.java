package bbd.companion.anvil;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.Column;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A section of a chunk as it was saved. {@code tags} are its own, {@code palette} where the list of states begins, or
 * -1 for a section without blocks; {@code longs} where the indices begin, or -1 where all blocks are the first state.
 */
record Section(int y, List<Nbt.Tag> tags, int palette, int entries, int longs) {
    private static final int MAX_ENTRIES = 4096;

    static Section read(Nbt nbt, int position) throws UnreadableChunk {
        List<Nbt.Tag> tags = nbt.compound(position);
        Long y = nbt.number(Nbt.named(tags, "Y", Nbt.BYTE));
        if (y == null) {
            y = nbt.number(Nbt.named(tags, "Y", Nbt.INT));
        }
        if (y == null) {
            throw new UnreadableChunk("a section has no Y");
        }
        Nbt.Tag states = Nbt.named(tags, "block_states", Nbt.COMPOUND);
        return states == null
                ? new Section(y.intValue(), tags, -1, 0, -1)
                : withBlocks(nbt, y.intValue(), tags, states);
    }

    private static Section withBlocks(Nbt nbt, int y, List<Nbt.Tag> tags, Nbt.Tag states) throws UnreadableChunk {
        List<Nbt.Tag> inner = nbt.compound(states.payload());
        Nbt.Tag palette = Nbt.named(inner, "palette", Nbt.LIST);
        if (palette == null) {
            throw new UnreadableChunk("a section has blocks but no palette");
        }
        int first = nbt.items(palette, Nbt.COMPOUND);
        int count = nbt.count(palette);
        if (count < 1 || count > MAX_ENTRIES) {
            throw new UnreadableChunk("a palette has " + count + " entries");
        }
        if (count == 1) {
            return new Section(y, tags, first, 1, -1);
        }
        Nbt.Tag longs = Nbt.named(inner, "data", Nbt.LONG_ARRAY);
        if (longs == null || nbt.length(longs.payload()) != Packing.longs(Packing.bits(count))) {
            throw new UnreadableChunk("a section's blocks don't fit its palette");
        }
        return new Section(y, tags, first, count, longs.payload() + 4);
    }

    /** The section's blocks by numbers; null for air all over. */
    char[] blocks(Nbt nbt, Palettes palettes) throws UnreadableChunk {
        if (palette < 0) {
            return null;
        }
        Palettes.Meaning meaning = palettes.meaning(nbt, palette, entries);
        char air = palettes.air();
        if (longs < 0) {
            return meaning.numbers()[0] == air ? null : filled(meaning.numbers()[0]);
        }
        char[] blocks = Packing.unpack(nbt.data, longs, Packing.bits(entries), meaning.numbers());
        if (!meaning.whole() && contains(blocks, Palettes.OUTSIDE)) {
            throw new UnreadableChunk("a block is not in the palette of its section");
        }
        return meaning.airy() && Column.isAir(blocks, air) ? null : blocks;
    }

    /** Whether {@link #blocks} are these; null is air all over. */
    boolean isSame(Nbt nbt, Palettes palettes, char[] blocks) throws UnreadableChunk {
        if (longs < 0 || blocks == null) {
            return java.util.Arrays.equals(blocks(nbt, palettes), blocks);
        }
        char[] numbers = palettes.meaning(nbt, palette, entries).numbers();
        return Packing.isSame(nbt.data, longs, Packing.bits(entries), numbers, blocks);
    }

    private static boolean contains(char[] blocks, char number) {
        boolean found = false;
        for (char block : blocks) {
            found |= block == number;
        }
        return found;
    }

    private static char[] filled(char number) {
        char[] blocks = new char[Packing.BLOCKS];
        java.util.Arrays.fill(blocks, number);
        return blocks;
    }

    /** The state that the compound at {@code position} says. */
    static BlockState state(Nbt nbt, int position) throws UnreadableChunk {
        List<Nbt.Tag> tags = nbt.compound(position);
        Nbt.Tag name = Nbt.named(tags, "Name", Nbt.STRING);
        if (name == null) {
            throw new UnreadableChunk("a palette entry has no name");
        }
        Map<String, String> found = new TreeMap<>();
        Nbt.Tag properties = Nbt.named(tags, "Properties", Nbt.COMPOUND);
        if (properties != null) {
            for (Nbt.Tag tag : nbt.compound(properties.payload())) {
                if (tag.type() == Nbt.STRING) {
                    found.put(tag.name(), nbt.text(tag.payload()));
                }
            }
        }
        return new BlockState(nbt.text(name.payload()), found);
    }
}
