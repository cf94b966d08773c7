package bbd.companion.anvil;

import bbd.companion.blocks.BlockStates;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the palettes of saved sections mean in a server's numbers; those seen lately are known by their bytes. */
final class Palettes {
    /** In a table, an index that the palette doesn't have. No state has the number: its neighbour is "unknown". */
    static final char OUTSIDE = 0xFFFE;
    private static final int KEPT = 512;

    private final BlockStates states;
    private final Map<ByteBuffer, char[]> known = new LinkedHashMap<>(KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, char[]> eldest) {
            return size() > KEPT;
        }
    };

    Palettes(BlockStates states) {
        this.states = states;
    }

    char air() {
        return states.air();
    }

    /** Numbers for every index that the palette's bits can hold. */
    char[] table(Nbt nbt, int position, int entries) throws UnreadableChunk {
        int end = position;
        for (int i = 0; i < entries; i++) {
            end = nbt.endOfCompound(end);
        }
        ByteBuffer raw = ByteBuffer.wrap(nbt.data, position, end - position);
        synchronized (known) {
            char[] table = known.get(raw);
            if (table != null) {
                return table;
            }
        }
        char[] table = new char[1 << Packing.bits(entries)];
        java.util.Arrays.fill(table, OUTSIDE);
        int at = position;
        for (int i = 0; i < entries; i++) {
            table[i] = states.number(Section.state(nbt, at));
            at = nbt.endOfCompound(at);
        }
        byte[] copy = java.util.Arrays.copyOfRange(nbt.data, position, end);
        synchronized (known) {
            known.put(ByteBuffer.wrap(copy), table);
        }
        return table;
    }
}
