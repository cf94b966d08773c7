package bbd.companion.anvil;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.BlockStates;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Writes sections' blocks. Those that keep to a palette that was {@link #prefer preferred} are saved with all of it, so
 * that it is compressed once for all of them; others get a palette of what is in them. Any thread may call.
 */
final class BlockWriter {
    private static final int MOST = 8;
    private static final byte[] NOTHING = {};

    private final BlockStates states;
    private volatile List<Preferred> preferred = List.of();

    private volatile List<SharedBytes> shared = List.of();

    private record Preferred(char[] solid, SharedBytes entries, SavedPalette alone, SavedPalette withAir) {}

    BlockWriter(BlockStates states) {
        this.states = states;
    }

    /** Sections with blocks of these states, and air, will be many. States that can't be told are never written. */
    synchronized void prefer(char[] palette) throws UnreadableChunk {
        char[] solid = without(palette, states.air());
        if (solid.length == 0 || preferred.stream().anyMatch(one -> Arrays.equals(one.solid, solid))) {
            return;
        }
        SharedBytes entries = SharedBytes.of(compounds(solid));
        char[] all = Arrays.copyOf(solid, solid.length + 1);
        all[solid.length] = states.air();
        List<Preferred> more = new ArrayList<>(preferred);
        more.add(new Preferred(solid, entries, SavedPalette.of(solid, entries, NOTHING),
                SavedPalette.of(all, entries, compounds(new char[]{states.air()}))));
        preferred = List.copyOf(more.subList(Math.max(0, more.size() - MOST), more.size()));
        shared = preferred.stream().map(Preferred::entries).toList();
    }

    /** What stands in many of the chunks that were written here. */
    List<SharedBytes> shared() {
        return shared;
    }

    private static char[] without(char[] palette, char air) {
        char[] solid = new char[palette.length];
        int count = 0;
        for (char number : palette) {
            if (number != air) {
                solid[count++] = number;
            }
        }
        return Arrays.copyOf(solid, count);
    }

    /** The tag {@code block_states}; null is air all over. */
    void write(NbtWriter out, char[] blocks) throws UnreadableChunk {
        out.head(Nbt.COMPOUND, "block_states");
        if (blocks == null || isUniform(blocks)) {
            out.listHead("palette", Nbt.COMPOUND, 1).raw(compounds(new char[]{blocks == null
                    ? states.air()
                    : blocks[0]}));
        } else if (!isWritten(out, blocks)) {
            char[] kinds = kinds(blocks);
            SavedPalette.of(kinds, new SharedBytes(NOTHING, NOTHING), compounds(kinds)).write(out, blocks);
        }
        out.end();
    }

    private boolean isWritten(NbtWriter out, char[] blocks) {
        for (Preferred one : preferred) {
            if (one.alone.write(out, blocks) || one.withAir.write(out, blocks)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isUniform(char[] blocks) {
        for (char block : blocks) {
            if (block != blocks[0]) {
                return false;
            }
        }
        return true;
    }

    /** The numbers that occur, ascending. */
    private static char[] kinds(char[] blocks) {
        BitSet seen = new BitSet();
        for (char block : blocks) {
            seen.set(block);
        }
        char[] kinds = new char[seen.cardinality()];
        int at = 0;
        for (int kind = seen.nextSetBit(0); kind >= 0; kind = seen.nextSetBit(kind + 1)) {
            kinds[at++] = (char) kind;
        }
        return kinds;
    }

    private byte[] compounds(char[] numbers) throws UnreadableChunk {
        NbtWriter out = new NbtWriter(64 * numbers.length);
        for (char number : numbers) {
            state(out, number);
        }
        return out.toByteArray();
    }

    private void state(NbtWriter out, char number) throws UnreadableChunk {
        BlockState state = number == BlockStates.UNKNOWN ? null : states.state(number);
        if (state == null) {
            throw new UnreadableChunk("a block that can't be told would have to be written");
        }
        out.tag("Name", state.name());
        if (!state.properties().isEmpty()) {
            out.head(Nbt.COMPOUND, "Properties");
            state.properties().forEach((name, value) -> out.tag(name, value));
            out.end();
        }
        out.end();
    }
}
