package bbd.companion.anvil;

import bbd.companion.blocks.BlockStates;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the palettes of saved sections mean in a server's numbers; those met before are known by their bytes. Any thread
 * may call.
 */
final class Palettes implements Nbt.Known {
    /** In a table, an index that the palette doesn't have. No state has the number: its neighbour is "unknown". */
    static final char OUTSIDE = 0xFFFE;
    private static final int KEPT = 512;
    private static final int LATELY = 8;
    /** Smaller ones are walked through as fast as they are compared. */
    private static final int LEAST = 16;

    private final BlockStates states;
    private final Map<ByteBuffer, Meaning> known = new LinkedHashMap<>(KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Meaning> eldest) {
            return size() > KEPT;
        }
    };
    /** The last ones that were looked up in {@link #known}; replaced, never changed. */
    private volatile Meaning[] lately = {};

    /**
     * A palette's bytes, how many entries they are, and a number for every index that its bits can hold.
     *
     * @param whole whether every such index is in the palette
     * @param airy whether air is in it
     */
    record Meaning(byte[] raw, int entries, char[] numbers, boolean whole, boolean airy) {
        private boolean stands(byte[] data, int position) {
            int end = position + raw.length;
            return end <= data.length && Arrays.equals(data, position, end, raw, 0, raw.length);
        }
    }

    Palettes(BlockStates states) {
        this.states = states;
    }

    char air() {
        return states.air();
    }

    @Override
    public int end(byte[] data, int position, int count) {
        Meaning found = count < LEAST ? null : met(data, position, count);
        return found == null ? -1 : position + found.raw.length;
    }

    private Meaning met(byte[] data, int position, int count) {
        for (Meaning one : lately) {
            if (one.entries == count && one.stands(data, position)) {
                return one;
            }
        }
        return null;
    }

    /** The palette whose {@code entries} begin at {@code position}. */
    Meaning meaning(Nbt nbt, int position, int entries) throws UnreadableChunk {
        Meaning found = met(nbt.data, position, entries);
        return found == null ? lookedUp(nbt, position, entries) : found;
    }

    private Meaning lookedUp(Nbt nbt, int position, int entries) throws UnreadableChunk {
        int end = position;
        for (int i = 0; i < entries; i++) {
            end = nbt.endOfCompound(end);
        }
        Meaning found;
        synchronized (known) {
            found = known.get(ByteBuffer.wrap(nbt.data, position, end - position));
        }
        if (found == null) {
            found = read(nbt, position, end, entries);
        }
        synchronized (known) {
            known.put(ByteBuffer.wrap(found.raw), found);
            Meaning[] fresh = Arrays.copyOf(lately, Math.min(LATELY, lately.length + 1));
            System.arraycopy(lately, 0, fresh, 1, fresh.length - 1);
            fresh[0] = found;
            lately = fresh;
        }
        return found;
    }

    private Meaning read(Nbt nbt, int position, int end, int entries) throws UnreadableChunk {
        char[] numbers = new char[1 << Packing.bits(entries)];
        Arrays.fill(numbers, OUTSIDE);
        boolean airy = false;
        int at = position;
        for (int i = 0; i < entries; i++) {
            numbers[i] = states.number(Section.state(nbt, at));
            airy |= numbers[i] == states.air();
            at = nbt.endOfCompound(at);
        }
        return new Meaning(Arrays.copyOfRange(nbt.data, position, end), entries, numbers, entries == numbers.length,
                airy);
    }
}
